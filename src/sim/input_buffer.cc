#include "sim/input_buffer.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace offpeak::sim {
namespace {

constexpr std::size_t kFirstCapacity = 16 << 10;
constexpr std::size_t kMinRoom = 4 << 10;

}  // namespace

void InputBuffer::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void InputBuffer::make_room() {
  if (capacity_ >= end_ + kPadding + kMinRoom) return;
  const std::size_t used = end_ - begin_;
  const bool grow = used + kPadding + kMinRoom > capacity_ / 2;
  const std::size_t capacity = grow ? std::max(kFirstCapacity, capacity_ * 2) : capacity_;
  auto storage = grow ? std::make_unique<char[]>(capacity) : std::move(storage_);
  const char* from = grow ? storage_.get() : storage.get();
  if (used > 0) std::memmove(storage.get(), from + begin_, used);
  storage_ = std::move(storage);
  capacity_ = capacity;
  begin_ = 0;
  end_ = used;
}

ssize_t InputBuffer::read_from(int fd) {
  make_room();
  const auto received = ::read(fd, storage_.get() + end_, capacity_ - kPadding - end_);
  if (received > 0) end_ += static_cast<std::size_t>(received);
  return received;
}

}  // namespace offpeak::sim
