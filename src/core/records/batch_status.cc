#include "core/records/batch_status.h"

#include <array>
#include <utility>

namespace offpeak {
namespace {

constexpr std::array<std::pair<BatchStatus, std::string_view>, 8> kNames = {{
    {BatchStatus::validating, "validating"},
    {BatchStatus::failed, "failed"},
    {BatchStatus::in_progress, "in_progress"},
    {BatchStatus::finalizing, "finalizing"},
    {BatchStatus::completed, "completed"},
    {BatchStatus::expired, "expired"},
    {BatchStatus::cancelling, "cancelling"},
    {BatchStatus::cancelled, "cancelled"},
}};

}  // namespace

std::string_view to_string(BatchStatus status) {
  for (const auto& [value, name] : kNames) {
    if (value == status) return name;
  }
  std::unreachable();
}

std::optional<BatchStatus> parse_batch_status(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace offpeak
