#include "core/webhook/endpoint_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offpeak {
namespace {

using testing::ElementsAre;

TEST(EndpointBody, ReadsACreation) {
  const auto change =
      parse_create_endpoint(R"({"name":"ops","url":"https://h/x","extra":1,)"
                            R"("event_types":["batch.failed","batch.completed","batch.failed"]})");
  ASSERT_TRUE(change);
  EXPECT_EQ(change->name, "ops");
  EXPECT_EQ(change->url, "https://h/x");
  EXPECT_THAT(*change->event_types, ElementsAre("batch.failed", "batch.completed"));
}

TEST(EndpointBody, AnUpdateMayLeaveEverythingOut) {
  const auto change = parse_update_endpoint(R"({"url":null})");
  ASSERT_TRUE(change);
  EXPECT_FALSE(change->name || change->url || change->event_types);
  EXPECT_EQ(parse_update_endpoint(R"({"name":"n"})")->name, "n");
}

struct Case {
  const char* body;
  const char* code;
  const char* param;
  const char* message;
};

TEST(EndpointBody, RefusesAsTheServiceDoes) {
  const Case cases[] = {
      {"", "", "", "We could not parse the JSON body"},
      {"[]", "", "", "We could not parse the JSON body"},
      {R"({"url":"u","event_types":["batch.failed"]})", "missing_required_parameter", "name",
       "Missing required parameter: 'name'."},
      {R"({"name":"n","event_types":["batch.failed"]})", "missing_required_parameter", "url",
       "Missing required parameter: 'url'."},
      {R"({"name":"n","url":"u"})", "missing_required_parameter", "event_types",
       "Missing required parameter: 'event_types'."},
      {R"({"name":1})", "invalid_type", "name",
       "Invalid type for 'name': expected a string, but got an integer instead."},
      {R"({"name":""})", "empty_string", "name", "Invalid 'name': empty string."},
      {R"({"url":["u"]})", "invalid_type", "url",
       "Invalid type for 'url': expected a string, but got an array instead."},
      {R"({"event_types":"batch.failed"})", "invalid_type", "event_types",
       "expected an array of strings, but got a string instead."},
      {R"({"event_types":[]})", "empty_array", "event_types", "Invalid 'event_types': empty"},
      {R"({"event_types":["batch.failed",{}]})", "invalid_type", "event_types[1]",
       "Invalid type for 'event_types[1]'"},
      {R"({"event_types":["batch.in_progress"]})", "invalid_value", "event_types[0]",
       "Invalid value: 'batch.in_progress'. Supported values are: 'batch.completed', "
       "'batch.failed', 'batch.expired', and 'batch.cancelled'."},
  };
  for (const Case& one : cases) {
    const auto change = parse_create_endpoint(one.body);
    ASSERT_FALSE(change) << one.body;
    EXPECT_EQ(change.error().kind, ErrorKind::invalid_request) << one.body;
    EXPECT_EQ(change.error().code, one.code) << one.body;
    EXPECT_EQ(change.error().param, one.param) << one.body;
    EXPECT_NE(change.error().message.find(one.message), std::string::npos)
        << change.error().message;
  }
  EXPECT_EQ(parse_update_endpoint(R"({"name":")" + std::string(257, 'x') + R"("})").error().code,
            "string_above_max_length");
}

TEST(EndpointBody, RotationKeepsTheOldSecretOnlyIfAsked) {
  EXPECT_EQ(parse_rotate_secret(""), false);
  EXPECT_EQ(parse_rotate_secret("{}"), false);
  EXPECT_EQ(parse_rotate_secret(R"({"keep_old_secret_active_for_24_hours":null})"), false);
  EXPECT_EQ(parse_rotate_secret(R"({"keep_old_secret_active_for_24_hours":true})"), true);
  EXPECT_EQ(parse_rotate_secret(R"({"keep_old_secret_active_for_24_hours":1})").error().code,
            "invalid_type");
}

TEST(EndpointBody, ATestNamesAnEventType) {
  EXPECT_EQ(parse_test_endpoint(R"({"event_type":"batch.expired"})"), "batch.expired");
  EXPECT_EQ(parse_test_endpoint("{}").error().code, "missing_required_parameter");
  const auto unknown = parse_test_endpoint(R"({"event_type":"x.y"})");
  EXPECT_EQ(unknown.error().code, "invalid_value");
  EXPECT_EQ(unknown.error().param, "event_type");
}

}  // namespace
}  // namespace offpeak
