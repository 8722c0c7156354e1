// The order in which a batch runs: by the raw bytes of the prompts, so that rows with a common
// prefix are neighbours and an engine's prefix cache serves them (reference: Liu et al.,
// "Optimizing LLM Queries in Relational Data Analytics Workloads", 2024). Ties keep the order of
// the file.
//
// Rows are compared with one reference prompt while they stream by: (side of the reference, length
// of the common prefix, next eight bytes) orders almost all of them in 16 bytes a row. Groups that
// are still equal are read again, deeper, from the input file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/growing_array.h"

namespace offpeak {

/// Reads prompts again while ties are broken.
class PromptSource {
 public:
  virtual ~PromptSource() = default;
  /// Bytes of `row`'s prompt from `depth` on into `out`; fewer only at the prompt's end.
  virtual Result<std::size_t> read(std::uint32_t row, std::size_t depth, std::span<char> out) = 0;
};

class DispatchOrder {
 public:
  /// Prompts are ordered by no more than their first `depth_max` bytes.
  explicit DispatchOrder(std::size_t depth_max = 8192) : depth_max_(depth_max) {}

  /// Takes the next row's prompt, in file order.
  void add(std::string_view prompt);
  std::size_t rows() const { return keys_.size(); }

  /// Sorts; afterwards row_at() answers. Call once.
  Status finish(PromptSource& prompts);
  std::uint32_t row_at(std::size_t position) const { return keys_[position].row; }

 private:
  struct Key {
    std::uint64_t next_bytes;  // big-endian, so that numbers order as bytes do
    std::uint32_t prefix;      // side of the reference and length shared with it
    std::uint32_t row;
  };
  struct Group {
    std::size_t first;
    std::size_t last;
    std::size_t depth;
  };

  static Key key_of(std::string_view prompt, std::string_view reference, std::uint32_t row);
  /// Sorts one group by its keys and queues the stretches that stay equal.
  void sort_group(const Group& group, std::vector<Group>& ties);
  Status load_keys(const Group& group, PromptSource& prompts);

  std::size_t depth_max_;
  std::string reference_;
  GrowingArray<Key> keys_;
};

}  // namespace offpeak
