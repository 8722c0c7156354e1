// The `body` bytes of each row of an OpenAI batch input file, as slices of the mapped file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace offpeak::bench {

class BatchRows {
 public:
  /// Throws std::runtime_error when the file cannot be read or a row has no body.
  explicit BatchRows(const std::string& path);
  ~BatchRows();
  BatchRows(const BatchRows&) = delete;
  BatchRows& operator=(const BatchRows&) = delete;

  std::size_t size() const { return bodies_.size(); }
  std::string_view operator[](std::size_t index) const { return bodies_[index]; }

 private:
  std::string_view file_;
  std::vector<std::string_view> bodies_;
};

}  // namespace offpeak::bench
