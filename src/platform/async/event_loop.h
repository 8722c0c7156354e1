// Threads: an EventLoop runs coroutines on one thread; Workers run what blocks.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "platform/async/task.h"

namespace offpeak {

/// One thread that runs coroutines and callbacks. Owned by the composition root; outlives whatever
/// runs on it.
class EventLoop {
 public:
  /// `name` is what the thread is called in a process listing (15 characters at most).
  explicit EventLoop(std::string name);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;

  void start();
  /// Ends the thread after the callback that is running; what still waits is dropped.
  void stop();

  Executor executor() { return context_.get_executor(); }
  boost::asio::io_context& context() { return context_; }
  /// Runs `callback` on the loop's thread; from any thread.
  void post(std::function<void()> callback);
  /// Starts a coroutine on the loop. An exception that leaves it is a bug: logged, process aborted.
  void spawn(Task<> task);
  bool on_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  std::string name_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

/// Suspends the calling coroutine for `delay`. Real time; product code that decides *when* takes
/// the time from Clock.
Task<> sleep_for(EventLoop& loop, std::chrono::milliseconds delay);

/// Threads for calls that block: SQLite commits, fsync, reading cold files.
class Workers {
 public:
  explicit Workers(std::size_t threads) : pool_(threads) {}
  ~Workers() { stop(); }

  template <class Function>
  void post(Function&& function) {
    boost::asio::post(pool_, std::forward<Function>(function));
  }
  void post_later(std::chrono::milliseconds delay, std::function<void()> function);
  /// Waits for what is running; what still waits is dropped.
  void stop() {
    pool_.stop();
    pool_.join();
  }

 private:
  boost::asio::thread_pool pool_;
};

/// Runs `work` on a worker and resumes the calling coroutine on its own loop with the result.
template <class Function>
Task<std::invoke_result_t<Function>> offload(Workers& workers, Function work) {
  using Value = std::invoke_result_t<Function>;
  auto initiate = [](auto handler, Workers* pool, Function function) {
    pool->post([handler = std::move(handler), function = std::move(function)]() mutable {
      std::exception_ptr failure;
      std::optional<Value> value;
      try {
        value.emplace(function());
      } catch (...) {
        failure = std::current_exception();
      }
      const auto executor = boost::asio::get_associated_executor(handler);
      boost::asio::post(
          executor, [handler = std::move(handler), failure, value = std::move(value)]() mutable {
            std::move(handler)(failure, std::move(value));
          });
    });
  };
  auto value = co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                    void(std::exception_ptr, std::optional<Value>)>(
      initiate, use_task, &workers, std::move(work));
  co_return std::move(*value);
}

}  // namespace offpeak
