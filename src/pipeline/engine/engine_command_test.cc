#include "pipeline/engine/engine_command.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "pipeline/engine/launcher.h"

namespace offpeak {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsSupersetOf;

class FindEngineTest : public testing::Test {
 protected:
  FindEngineTest() {
    std::string name = testing::TempDir() + "offpeak-find-XXXXXX";
    dir_ = mkdtemp(name.data());
    for (const char* part : {"bin", "engine", "other"}) fs::create_directory(dir_ / part);
    config_.threads = 3;
    config_.slots = 4;
    config_.context = 512;
  }
  ~FindEngineTest() override { fs::remove_all(dir_); }

  fs::path make_file(const fs::path& name, const std::string& text = "x") const {
    std::ofstream(dir_ / name) << text;
    fs::permissions(dir_ / name, fs::perms(0700));
    return dir_ / name;
  }
  void install() const {
    make_file("engine/python");
    make_file("engine/model.gguf");
    make_file("engine/engine.json", R"({"model": "tiny", "python": ")" +
                                        (dir_ / "engine/python").string() + R"(", "more": 1})");
  }
  Result<EngineCommand> find() const {
    return find_engine(config_, {{"PATH", dir_ / "bin"}}, {dir_ / "other", dir_ / "engine"});
  }
  std::string error() const {
    const auto found = find();
    return found ? "found " + found->executable.string() : found.error().message;
  }

  fs::path dir_;
  EngineConfig config_;
};

TEST_F(FindEngineTest, NothingInstalledSaysWhatToRun) {
  EXPECT_THAT(error(), AllOf(HasSubstr("tools/install-deps.sh engine"), HasSubstr("`upstreams:`")));
  EXPECT_EQ(find().error().kind, ErrorKind::not_found);
}

TEST_F(FindEngineTest, InstalledEngineRunsTheEmbeddedLauncher) {
  install();
  const auto found = find();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->executable, dir_ / "engine/python");
  EXPECT_EQ(found->model_name, "tiny");
  EXPECT_THAT(found->arguments_for(4711),
              ElementsAre("-I", "-u", "-c", kEngineLauncher, "--model", dir_ / "engine/model.gguf",
                          "--alias", "tiny", "--slots", "4", "--ctx-per-slot", "512", "--threads",
                          "3", "--port", "4711"));
}

TEST_F(FindEngineTest, LlamaServerOnThePathComesFirst) {
  install();
  make_file("bin/llama-server");
  const auto found = find();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->executable, dir_ / "bin/llama-server");
  EXPECT_EQ(found->model_name, "tiny");
  const auto arguments = found->arguments_for(4711);
  EXPECT_THAT(arguments, IsSupersetOf({"-m", "-np", "4", "-c", "2048", "-t", "3", "127.0.0.1",
                                       "--embeddings", "--metrics"}));
}

TEST_F(FindEngineTest, LlamaServerWithoutAnyModelSaysWhatToSet) {
  make_file("bin/llama-server");
  EXPECT_THAT(error(), HasSubstr("set `engine.model` to a GGUF file"));
}

TEST_F(FindEngineTest, ConfiguredModelGivesItsFileName) {
  install();
  config_.model = make_file("Qwen2.5-7B-Q4.gguf");
  EXPECT_EQ(find()->model_name, "Qwen2.5-7B-Q4");
  config_.model = dir_ / "missing.gguf";
  EXPECT_THAT(error(), AllOf(HasSubstr("engine.model"), HasSubstr("missing.gguf")));
}

TEST_F(FindEngineTest, ConfiguredExecutable) {
  install();
  config_.mode = {.mode = EngineMode::executable, .executable = make_file("my-server")};
  EXPECT_EQ(find()->executable, dir_ / "my-server");
  config_.mode.executable = dir_ / "no-server";
  EXPECT_THAT(error(), HasSubstr("no-server is not an executable file"));
  config_.mode.executable = dir_ / "engine";
  EXPECT_THAT(error(), HasSubstr("is not an executable file"));
}

TEST_F(FindEngineTest, HalfAnInstallationIsNamed) {
  install();
  fs::remove(dir_ / "engine/model.gguf");
  EXPECT_THAT(error(), AllOf(HasSubstr("model.gguf is missing"), HasSubstr("install-deps.sh")));
  install();
  fs::remove(dir_ / "engine/python");
  EXPECT_THAT(error(), HasSubstr("python is missing"));
}

TEST(EngineDirectories, OrderOfPreference) {
  EXPECT_THAT(
      engine_directories({{"OFFPEAK_ENGINE_DIR", "/a"}, {"XDG_DATA_HOME", "/b"}, {"HOME", "/c"}}),
      ElementsAre("/a", "/b/offpeak/engine", "/usr/local/lib/offpeak/engine"));
  EXPECT_THAT(engine_directories({{"HOME", "/c"}}),
              ElementsAre("/c/.local/share/offpeak/engine", "/usr/local/lib/offpeak/engine"));
}

TEST(Launcher, IsEmbeddedByteForByte) {
  std::ifstream in(OFFPEAK_ENGINE_LAUNCHER_FILE);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  ASSERT_THAT(text, EndsWith("main()\n"));
  EXPECT_EQ(kEngineLauncher, text);
}

}  // namespace
}  // namespace offpeak
