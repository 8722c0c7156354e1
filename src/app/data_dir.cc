#include "app/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "pipeline/projects/projects.h"
#include "platform/crypto/api_key.h"

namespace offpeak {
namespace {

std::unexpected<Error> cannot_use(const std::filesystem::path& path, std::string_view why) {
  return fail(ErrorKind::unavailable,
              fmt::format("The data directory {} cannot be used: {}. Choose another one with "
                          "--data-dir, or mend its permissions.",
                          path.string(), why));
}

}  // namespace

Result<DataDir> DataDir::open(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return cannot_use(path, errno_error("mkdir", errno).message);
  }
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return cannot_use(path, errno_error("access", errno).message);
  }
  if (::chmod(path.c_str(), 0700) != 0)
    return cannot_use(path, errno_error("chmod", errno).message);
  DataDir dir{.path = path};
  auto meta = SqliteMetaStore::open(path / "meta.db");
  if (!meta && meta.error().kind == ErrorKind::conflict) {
    return fail(
        ErrorKind::conflict,
        fmt::format("The data directory {} is in use by another offpeak process. Stop it, or "
                    "choose another directory with --data-dir.",
                    path.string()));
  }
  if (!meta) return cannot_use(path, meta.error().message);
  dir.meta = std::move(*meta);
  auto blobs = DiskBlobStore::open(path / "blobs");
  if (!blobs) return cannot_use(path, blobs.error().message);
  dir.blobs = std::move(*blobs);
  return dir;
}

Result<std::optional<std::string>> ensure_default_project(const DataDir& dir, const Clock& clock,
                                                          Random& random) {
  const auto projects = dir.meta->projects();
  if (!projects) return std::unexpected(projects.error());
  if (!projects->empty()) return std::nullopt;
  const auto made = create_project(*dir.meta, clock, random, "default");
  if (!made) return std::unexpected(made.error());
  if (auto written = write_private_file(dir.path / "default.key", made->api_key); !written) {
    return std::unexpected(written.error());
  }
  return made->api_key;
}

Result<std::string> ensure_operator_key(const std::filesystem::path& dir, Random& random) {
  std::string key = read_first_line(dir / "operator.key");
  if (is_well_formed_api_key(key)) return key;
  key = make_api_key(random);
  if (auto written = write_private_file(dir / "operator.key", key); !written) {
    return std::unexpected(written.error());
  }
  return key;
}

Result<SecretBox::Key> ensure_secret_key(const std::filesystem::path& dir, Random& random) {
  const auto file = dir / "secret.key";
  std::error_code error;
  const bool exists = std::filesystem::exists(file, error);
  if (error) return cannot_use(file, error.message());
  if (exists) {
    const auto key = parse_secret_key(read_first_line(file));
    if (key) return *key;
    return cannot_use(file,
                      "it holds no key of 64 hexadecimal digits. Restore it from a backup, or "
                      "remove it and rotate the secret of every webhook endpoint");
  }
  const auto key = make_secret_key(random);
  if (auto written = write_private_file(file, to_hex(key)); !written) {
    return std::unexpected(written.error());
  }
  return key;
}

Status write_private_file(const std::filesystem::path& file, const std::string& text) {
  const std::string what = fmt::format("write {}", file.string());
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(errno_error(what, errno));
  const std::string line = text + "\n";
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fchmod(fd, 0600) == 0 && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) return std::unexpected(errno_error(what, error));
  return {};
}

std::string read_first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace offpeak
