// "did you mean 'x'?"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace offpeak {

/// The candidate nearest to `typed` by edit distance (a swap of neighbours counts once), if it is
/// near enough to be meant: at most one edit per three letters, at least one.
std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> candidates);

}  // namespace offpeak
