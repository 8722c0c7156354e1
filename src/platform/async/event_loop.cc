#include "platform/async/event_loop.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <cstdlib>

namespace offpeak {
namespace {

void abort_on_exception(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& bug) {
    fmt::print(stderr, "bug: a task ended with an exception: {}\n", bug.what());
  } catch (...) {
    fmt::print(stderr, "bug: a task ended with an unknown exception\n");
  }
  std::abort();
}

}  // namespace

EventLoop::EventLoop(std::string name)
    : name_(std::move(name)), work_(boost::asio::make_work_guard(context_)) {}

EventLoop::~EventLoop() {
  stop();
}

void EventLoop::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), name_.c_str());
    context_.run();
  });
}

void EventLoop::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::post(std::function<void()> callback) {
  boost::asio::post(context_, std::move(callback));
}

void EventLoop::spawn(Task<> task) {
  boost::asio::co_spawn(context_, std::move(task), abort_on_exception);
}

void Workers::post_later(std::chrono::milliseconds delay, std::function<void()> function) {
  auto timer = std::make_shared<boost::asio::steady_timer>(pool_, delay);
  timer->async_wait([timer, function = std::move(function)](boost::system::error_code error) {
    if (!error) function();
  });
}

Task<> sleep_for(EventLoop& loop, std::chrono::milliseconds delay) {
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  Timer timer(loop.executor(), delay);
  co_await timer.async_wait(use_task);
}

}  // namespace offpeak
