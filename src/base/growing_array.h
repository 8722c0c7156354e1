// A vector for trivially copyable elements by the million: grows through realloc, which moves pages
// instead of copying them, so that memory does not double while growing.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace offpeak {

template <class T>
  requires std::is_trivially_copyable_v<T>
class GrowingArray {
 public:
  void push_back(const T& value) {
    if (size_ == capacity_) grow();
    data_.get()[size_++] = value;
  }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return data_.get()[index]; }
  const T& operator[](std::size_t index) const { return data_.get()[index]; }
  std::span<T> all() { return {data_.get(), size_}; }
  std::span<const T> all() const { return {data_.get(), size_}; }
  void clear_and_free() {
    data_.reset();
    size_ = capacity_ = 0;
  }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 1024 : capacity_ + capacity_ / 2;
    void* const moved = std::realloc(data_.get(), capacity * sizeof(T));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(static_cast<T*>(moved));
    capacity_ = capacity;
  }

  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace offpeak
