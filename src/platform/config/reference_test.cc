#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "platform/config/config.h"
#include "platform/config/settings.h"

namespace offpeak {
namespace {

// With OFFPEAK_UPDATE_DOCS set it writes the file instead.
TEST(ConfigurationReference, IsWhatTheDocumentationShows) {
  const std::string path = OFFPEAK_SOURCE_DIR "/docs/configuration.md";
  if (std::getenv("OFFPEAK_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << configuration_reference();
  }
  std::ostringstream shown;
  shown << std::ifstream(path).rdbuf();
  EXPECT_EQ(shown.str(), configuration_reference())
      << "run this test once with OFFPEAK_UPDATE_DOCS=1";
}

TEST(ConfigurationReference, NamesEverySetting) {
  const auto text = configuration_reference();
  for (const auto& setting : config_settings()) {
    EXPECT_NE(text.find("| `" + setting.name + "` |"), std::string::npos) << setting.name;
  }
}

}  // namespace
}  // namespace offpeak
