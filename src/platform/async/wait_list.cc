#include "platform/async/wait_list.h"

#include <boost/asio/async_result.hpp>
#include <utility>

namespace offpeak {

Task<> WaitList::wait() {
  auto initiate = [this](auto handler) {
    waiting_.push_back([handler = std::move(handler)]() mutable { std::move(handler)(); });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
      initiate, use_task);
}

void WaitList::release_all() {
  for (auto& resume : std::exchange(waiting_, {})) resume();
}

}  // namespace offpeak
