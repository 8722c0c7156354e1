#include "pipeline/intake/error_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace offpeak {
namespace {

constexpr std::size_t kMessageBytesMax = 1000;

void shorten(std::string& message) {
  if (message.size() <= kMessageBytesMax) return;
  std::size_t end = kMessageBytesMax;
  while ((static_cast<unsigned char>(message[end]) & 0xC0) == 0x80)
    --end;  // not inside a character
  message.resize(end);
  message += "…";
}

}  // namespace

void ErrorList::add(LineError error) {
  ++count_;
  shorten(error.message);
  errors_.push_back(std::move(error));
  if (errors_.size() / 2 > listed_max_) trim();
}

std::vector<LineError> ErrorList::take() {
  trim();
  if (count_ > errors_.size()) {
    errors_.push_back(
        {.code = "too_many_errors",
         .message = fmt::format("{} more errors were found in this file; only the first {} are "
                                "listed.",
                                count_ - errors_.size(), errors_.size())});
  }
  return std::move(errors_);
}

void ErrorList::trim() {
  std::ranges::sort(errors_, {}, &LineError::line);
  if (errors_.size() > listed_max_) errors_.resize(listed_max_);
}

}  // namespace offpeak
