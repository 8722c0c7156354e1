// Tenants and their credentials as the metadata store keeps them.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

struct Project {
  ProjectId id;
  std::string name;
  UnixSeconds created_at;

  bool operator==(const Project&) const = default;
};

/// A project's API key. The key itself is shown once and never stored: only its SHA-256.
struct ApiKey {
  KeyId id;
  ProjectId project;
  std::string sha256;    // 64 hex digits
  std::string redacted;  // what may be shown later, such as "opk_ab…9Z"
  UnixSeconds created_at;
  std::optional<UnixSeconds> revoked_at;

  bool operator==(const ApiKey&) const = default;
};

}  // namespace offpeak
