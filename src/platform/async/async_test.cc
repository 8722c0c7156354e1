#include <gtest/gtest.h>

#include <future>

#include "platform/async/event_loop.h"

namespace offpeak {
namespace {

TEST(EventLoop, OffloadRunsElsewhereAndComesBack) {
  EventLoop loop("test");
  Workers workers(1);
  loop.start();
  std::promise<bool> result;
  struct Body {
    static Task<> run(EventLoop& on, Workers& pool, std::promise<bool>& out) {
      const auto elsewhere = co_await offload(pool, [] { return std::this_thread::get_id(); });
      out.set_value(on.on_this_thread() && elsewhere != std::this_thread::get_id());
    }
  };
  loop.spawn(Body::run(loop, workers, result));
  EXPECT_TRUE(result.get_future().get());
  loop.stop();
}

TEST(EventLoop, OffloadPassesExceptionsOn) {
  EventLoop loop("test");
  Workers workers(1);
  loop.start();
  std::promise<std::string> result;
  struct Body {
    static Task<> run(Workers& pool, std::promise<std::string>& out) {
      std::string text;
      try {
        co_await offload(pool, []() -> int { throw std::runtime_error("no"); });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      out.set_value(text);
    }
  };
  loop.spawn(Body::run(workers, result));
  EXPECT_EQ(result.get_future().get(), "no");
  loop.stop();
}

}  // namespace
}  // namespace offpeak
