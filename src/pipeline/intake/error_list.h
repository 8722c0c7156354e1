// The errors of an input file in line order: as many as may be listed, then one that says how many
// there are besides.
#pragma once

#include <cstdint>
#include <vector>

#include "core/records/batch.h"

namespace offpeak {

class ErrorList {
 public:
  explicit ErrorList(std::uint64_t listed_max) : listed_max_(listed_max) {}

  /// Messages repeat what the user wrote; one that is very long is cut.
  void add(LineError error);
  bool empty() const { return count_ == 0; }
  std::vector<LineError> take();

 private:
  void trim();

  std::uint64_t listed_max_;
  std::uint64_t count_ = 0;
  std::vector<LineError> errors_;
};

}  // namespace offpeak
