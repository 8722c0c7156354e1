// Base of tests that drive the whole server as a user does: a scripted upstream, a server, a
// project's key, and words for what tests do over and over.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "testing/http_call.h"
#include "testing/scripted_upstream.h"
#include "testing/test_server.h"

namespace offpeak {

/// Polls until `condition` holds; false when it has not for half a minute.
bool eventually(const std::function<bool()>& condition);

/// `count` rows "row-0", "row-1", … that ask for kModel.
std::string chat_rows(std::size_t count);
/// One row with the given body.
std::string chat_row(std::string_view custom_id, std::string_view body);
inline constexpr std::string_view kModel = "small-model";

struct ShownCounts {
  std::int64_t total = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  bool operator==(const ShownCounts&) const = default;
};
/// For the messages of failed expectations.
void PrintTo(const ShownCounts& counts, std::ostream* out);

class ServerFixture : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kSlots = 2;

  ServerFixture();
  /// Starts the server with `options`, or starts it anew over the same stores.
  void start();
  void crash() { server.reset(); }
  /// Everything that was not synced is gone.
  void power_cut();

  TestClient client() const { return {server->port(), key}; }
  /// A second project's client.
  TestClient stranger();

  std::string upload(const std::string& jsonl);
  /// The new batch's id.
  std::string create_batch(const std::string& file, const std::string& window = "24h");
  std::string run_rows(std::size_t count) { return create_batch(upload(chat_rows(count))); }
  boost::json::object batch(const std::string& id) const;
  std::string status(const std::string& id) const;
  ShownCounts counts(const std::string& id) const;
  TestReply cancel(const std::string& id) const;
  /// By custom_id. `file` is "output_file_id" or "error_file_id"; a row that is twice in it fails
  /// the test.
  std::map<std::string, boost::json::object> lines(const std::string& id, const char* file) const;
  std::map<std::string, boost::json::object> output(const std::string& id) const {
    return lines(id, "output_file_id");
  }
  std::map<std::string, boost::json::object> errors(const std::string& id) const {
    return lines(id, "error_file_id");
  }
  /// Every row is exactly once in the output or the error file.
  void expect_each_row_once(const std::string& id, std::size_t rows) const;

  bool reaches(const std::string& id, const std::string& wanted) const;
  /// Advances the clock by `step` and ticks, again and again, until `condition` holds.
  bool advance_until(std::chrono::milliseconds step, const std::function<bool()>& condition);

  TestStores stores;
  ScriptedUpstream upstream{stores.clock};
  TestServerOptions options;
  std::string key;
  std::unique_ptr<TestServer> server;
};

}  // namespace offpeak
