// Just enough HTTP/1.1 to know where an answer with a Content-Length ends.
#pragma once

#include <cstddef>
#include <string_view>

namespace offpeak::bench {

struct ResponseHead {
  int status = 0;
  std::size_t total_bytes = 0;  // head and body
};

enum class ReadState { need_more, complete, unsupported };

/// Reads the head at the beginning of `input`; complete when the whole answer is there.
ReadState read_response(std::string_view input, ResponseHead& head);

}  // namespace offpeak::bench
