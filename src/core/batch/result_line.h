// One line of an output or error file (contract section 5), as bytes. What the upstream sent goes
// in unchanged, except that bytes which would break the line ("\r", "\n", white space in valid
// JSON) are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace offpeak {

/// Names a row's result: "batch_req_" + 32 hex digits, unique per row and the same in every
/// attempt.
class RowName {
 public:
  /// `batch_seed` is any number of the batch's own, such as a hash of its id.
  RowName(std::uint64_t batch_seed, std::uint32_t row);
  /// 32 hex digits.
  std::string_view hex() const { return {hex_, sizeof hex_}; }

 private:
  char hex_[32];
};

/// Appends the line of a row that got an HTTP answer, "\n" included. `custom_id` is the JSON
/// literal of the input line. `request_id` may be empty: then the row's own name stands in. A body
/// that is not JSON (json_valid false) is wrapped as an error object with its text as message.
struct AnswerLine {
  std::string_view custom_id;
  int status = 0;
  std::string_view request_id;
  std::string_view body;
  bool json_valid = true;
};
void append_answer_line(std::string& out, const RowName& name, const AnswerLine& line);

/// Appends the line of a row that never got an answer.
void append_error_line(std::string& out, const RowName& name, std::string_view custom_id,
                       std::string_view code, std::string_view message);

inline constexpr std::string_view kBatchExpired = "batch_expired";
inline constexpr std::string_view kBatchExpiredMessage =
    "This request could not be executed before the completion window expired.";
inline constexpr std::string_view kBatchCancelled = "batch_cancelled";
inline constexpr std::string_view kBatchCancelledMessage =
    "This request was not executed because the batch was cancelled.";

}  // namespace offpeak
