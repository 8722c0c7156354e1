#include "core/jsonl/dispatch_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

namespace offpeak {
namespace {

/// How much of a prompt is compared with the reference at once when ties are read again.
constexpr std::size_t kWindow = 512;
constexpr std::uint32_t kGreater = 1u << 31;

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t length = std::min(a.size(), b.size());
  std::size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    std::uint64_t x;
    std::uint64_t y;
    std::memcpy(&x, a.data() + i, 8);
    std::memcpy(&y, b.data() + i, 8);
    if (x != y) return i + static_cast<std::size_t>(std::countr_zero(x ^ y)) / 8;
  }
  while (i < length && a[i] == b[i]) ++i;
  return i;
}

std::uint64_t big_endian_prefix(std::string_view text) {
  std::uint64_t value = 0;
  std::memcpy(&value, text.data(), std::min<std::size_t>(8, text.size()));
  return __builtin_bswap64(value);
}

}  // namespace

DispatchOrder::Key DispatchOrder::key_of(std::string_view prompt, std::string_view reference,
                                         std::uint32_t row) {
  const std::size_t shared = common_prefix(prompt, reference);
  const bool less = shared == prompt.size() || (shared < reference.size() &&
                                                static_cast<unsigned char>(prompt[shared]) <
                                                    static_cast<unsigned char>(reference[shared]));
  // Below the reference, more in common means greater; above it, smaller.
  const auto length = static_cast<std::uint32_t>(shared);
  return {.next_bytes = big_endian_prefix(prompt.substr(shared)),
          .prefix = less ? length : kGreater + (kGreater - 1 - length),
          .row = row};
}

void DispatchOrder::add(std::string_view prompt) {
  prompt = prompt.substr(0, depth_max_);
  if (keys_.size() == 0) reference_ = prompt;
  keys_.push_back(key_of(prompt, reference_, static_cast<std::uint32_t>(keys_.size())));
}

Status DispatchOrder::finish(PromptSource& prompts) {
  std::vector<Group> ties;
  sort_group({0, keys_.size(), 0}, ties);
  while (!ties.empty()) {
    const Group group = ties.back();
    ties.pop_back();
    if (auto loaded = load_keys(group, prompts); !loaded) return loaded;
    sort_group(group, ties);
  }
  return {};
}

void DispatchOrder::sort_group(const Group& group, std::vector<Group>& ties) {
  const auto keys = keys_.all().subspan(group.first, group.last - group.first);
  std::ranges::sort(keys, [](const Key& a, const Key& b) {
    return std::tie(a.prefix, a.next_bytes, a.row) < std::tie(b.prefix, b.next_bytes, b.row);
  });
  for (std::size_t i = 0; i < keys.size();) {
    std::size_t end = i + 1;
    while (end < keys.size() && keys[end].prefix == keys[i].prefix &&
           keys[end].next_bytes == keys[i].next_bytes) {
      ++end;
    }
    const std::uint32_t prefix = keys[i].prefix;
    const std::size_t shared = prefix < kGreater ? prefix : kGreater - 1 - (prefix - kGreater);
    const Group tie{group.first + i, group.first + end, group.depth + shared + 8};
    if (end - i > 1 && tie.depth < depth_max_) ties.push_back(tie);
    i = end;
  }
}

Status DispatchOrder::load_keys(const Group& group, PromptSource& prompts) {
  std::array<char, kWindow> reference_bytes;
  std::array<char, kWindow> bytes;
  std::string_view reference;
  for (std::size_t i = group.first; i < group.last; ++i) {
    auto& out = i == group.first ? reference_bytes : bytes;
    const auto count = prompts.read(keys_[i].row, group.depth, out);
    if (!count) return std::unexpected(count.error());
    const std::string_view window(out.data(), *count);
    if (i == group.first) reference = window;
    keys_[i] = key_of(window, reference, keys_[i].row);
  }
  return {};
}

}  // namespace offpeak
