// Whether a file may be a batch's input, as far as an upload can tell: its name and its first line
// (contract section 1.4). Everything else is intake's business.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offpeak {

class BatchFileCheck {
 public:
  /// Takes the file from its beginning, in pieces.
  void take(std::string_view bytes);
  /// Whether more bytes change nothing.
  bool is_decided() const { return first_line_ended_; }
  /// invalid_request, in the words of OpenAI's service. REQUIRES: is_decided(), or all bytes taken.
  Status judge(std::string_view filename) const;

 private:
  bool first_line_is_json() const;

  std::string first_line_;  // that is not blank
  bool first_line_ended_ = false;
  bool empty_ = true;
};

/// The part of the judgement that needs no bytes.
Status check_batch_filename(std::string_view filename);

}  // namespace offpeak
