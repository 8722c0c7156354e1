// The data directory: its layout, its permissions and the two keys that live in it.
//
//   blobs/        uploaded files, row indexes, result journals
//   meta.db       the metadata store
//   default.key   the default project's API key (mode 0600), written at the first start
//   secret.key    seals the secrets in meta.db that must be readable, such as webhooks' (mode 0600)
//   operator.key  lets `offpeak project create` talk to the running server (mode 0600)
//   server.url    where the running server listens
//   engine.log    output of the local engine
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "platform/blob/disk_blob_store.h"
#include "platform/crypto/secret_box.h"
#include "platform/meta/sqlite_meta_store.h"

namespace offpeak {

struct DataDir {
  /// Makes the directory (mode 0700) and opens both stores. Conflict: another process has it open.
  static Result<DataDir> open(const std::filesystem::path& path);

  std::filesystem::path path;
  std::unique_ptr<DiskBlobStore> blobs;
  std::unique_ptr<SqliteMetaStore> meta;
};

/// The default project's key if this start made it; else nullopt.
Result<std::optional<std::string>> ensure_default_project(const DataDir& dir, const Clock& clock,
                                                          Random& random);

/// The operator's key, made at the first call.
Result<std::string> ensure_operator_key(const std::filesystem::path& dir, Random& random);

/// The key that secrets in the metadata store are sealed with, made at the first call. An error if
/// the file is there but holds no key: what was sealed would be lost with it.
Result<SecretBox::Key> ensure_secret_key(const std::filesystem::path& dir, Random& random);

Status write_private_file(const std::filesystem::path& file, const std::string& text);
/// The file's first line; empty if it cannot be read.
std::string read_first_line(const std::filesystem::path& file);

}  // namespace offpeak
