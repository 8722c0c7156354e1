#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/api_objects.h"
#include "app/cli/commands.h"
#include "app/cli/talk.h"
#include "app/cli/text.h"
#include "app/cli/watch.h"

namespace offpeak::cli {
namespace {

constexpr int kOk = static_cast<int>(ExitCode::ok);

std::string endpoint_path(const std::string& id) {
  return "/webhook_endpoints/" + path_segment(id);
}

std::string delivery_path(const std::string& id, const std::string& delivery) {
  return endpoint_path(id) + "/deliveries/" + path_segment(delivery);
}

void print_webhook(const WebhookView& webhook) {
  std::vector<std::vector<std::string>> rows = {
      {"endpoint", webhook.id},
      {"name", webhook.name},
      {"url", webhook.url},
      {"events", fmt::format("{}", fmt::join(webhook.event_types, ", "))},
      {"created", utc_time(webhook.created_at)}};
  if (webhook.secret.empty()) {
    rows.push_back({"secret", webhook.secret_hint});
  } else {
    rows.push_back({"secret", webhook.secret});
  }
  fmt::print("{}", table(rows));
  if (!webhook.secret.empty()) fmt::print(stderr, "keep the secret: it is shown only once\n");
}

std::string answer_of(const DeliveryAttemptView& attempt) {
  return attempt.status != 0 ? fmt::format("{}", attempt.status) : attempt.error;
}

void print_delivery(const DeliveryView& delivery) {
  std::vector<std::vector<std::string>> rows = {{"delivery", delivery.id},
                                                {"event", delivery.event_type},
                                                {"batch", delivery.batch_id},
                                                {"webhook-id", delivery.webhook_id},
                                                {"created", utc_time(delivery.created_at)},
                                                {"status", delivery.status}};
  if (delivery.next_attempt_at) rows.push_back({"next", utc_time(*delivery.next_attempt_at)});
  for (const auto& attempt : delivery.log) {
    rows.push_back({"attempt", fmt::format("{}  {} ms  {}", utc_time(attempt.at),
                                           attempt.duration_ms, answer_of(attempt))});
  }
  fmt::print("{}", table(rows));
}

/// Prints what was received as `json`: as it is, or as `print` does what `parse` makes of it.
template <class View>
int show(const CommonOptions& common, const CliResult<std::string>& json,
         CliResult<View> (*parse)(std::string_view), void (*print)(const View&)) {
  if (!json) return report(json.error());
  if (common.json) {
    print_json(*json);
    return kOk;
  }
  const auto view = parse(*json);
  if (!view) return report(view.error());
  print(*view);
  return kOk;
}

int show_webhook(const CommonOptions& common, const CliResult<std::string>& json) {
  return show(common, json, parse_webhook, print_webhook);
}

void print_webhooks(const Page<WebhookView>& page) {
  std::vector<std::vector<std::string>> rows = {{"ENDPOINT", "NAME", "URL", "EVENTS", "CREATED"}};
  for (const auto& webhook : page.data) {
    rows.push_back({webhook.id, webhook.name, webhook.url,
                    fmt::format("{}", fmt::join(webhook.event_types, ",")),
                    utc_time(webhook.created_at)});
  }
  fmt::print("{}", table(rows));
  if (page.has_more && !page.data.empty()) {
    fmt::print(stderr, "more: offpeak webhooks list --after {}\n", page.data.back().id);
  }
}

void print_deliveries(const Page<DeliveryView>& page) {
  std::vector<std::vector<std::string>> rows = {
      {"DELIVERY", "EVENT", "BATCH", "STATUS", "ATTEMPTS", "CREATED", "NEXT"}};
  for (const auto& delivery : page.data) {
    rows.push_back({delivery.id, delivery.event_type, delivery.batch_id, delivery.status,
                    group_digits(delivery.attempts), utc_time(delivery.created_at),
                    delivery.next_attempt_at ? utc_time(*delivery.next_attempt_at) : "-"});
  }
  fmt::print("{}", table(rows));
  if (page.has_more && !page.data.empty()) {
    fmt::print(stderr, "more: --after {}\n", page.data.back().id);
  }
}

CliResult<std::vector<std::string>> all_events(HttpSession& http) {
  const auto json = http.get("/webhook_event_types");
  if (!json) return std::unexpected(json.error());
  return parse_event_types(*json);
}

}  // namespace

int webhook_create(const WebhookCreateOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  auto events = options.events;
  if (events.empty()) {
    auto all = all_events(*connection->http);
    if (!all) return report(all.error());
    events = std::move(*all);
  }
  return show_webhook(options.common,
                      connection->http->post("/webhook_endpoints",
                                             webhook_json(options.name, options.url, events)));
}

int webhook_list(const ListOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto json =
      connection->http->get("/webhook_endpoints" + list_query(options.limit, options.after));
  return show(options.common, json, parse_webhook_page, print_webhooks);
}

int webhook_get(const WebhookOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  return show_webhook(options.common, connection->http->get(endpoint_path(options.id)));
}

int webhook_update(const WebhookUpdateOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  return show_webhook(options.common, connection->http->post(
                                          endpoint_path(options.id),
                                          webhook_json(options.name, options.url, options.events)));
}

int webhook_delete(const WebhookOptions& options) {
  return delete_object(options.common, endpoint_path(options.id), options.id);
}

int webhook_rotate(const WebhookRotateOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const std::string body =
      fmt::format(R"({{"keep_old_secret_active_for_24_hours":{}}})", options.keep_old);
  return show_webhook(options.common,
                      connection->http->post(endpoint_path(options.id) + "/rotate_secret", body));
}

int webhook_test(const WebhookTestOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto json =
      connection->http->post(endpoint_path(options.id) + "/test", test_json(options.event));
  if (!json) return report(json.error());
  const auto status = parse_webhook_test(*json);
  if (!status) return report(status.error());
  if (options.common.json) {
    print_json(*json);
  } else {
    fmt::print("the receiver answered {}\n", *status);
  }
  const bool success = *status >= 200 && *status <= 299;
  return static_cast<int>(success ? ExitCode::ok : ExitCode::error);
}

int webhook_deliveries(const WebhookDeliveriesOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  if (!options.delivery.empty()) {
    const auto json = connection->http->get(delivery_path(options.id, options.delivery));
    return show(options.common, json, parse_delivery, print_delivery);
  }
  const auto json = connection->http->get(endpoint_path(options.id) + "/deliveries" +
                                          list_query(options.limit, options.after));
  return show(options.common, json, parse_delivery_page, print_deliveries);
}

int webhook_replay(const WebhookReplayOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto json =
      connection->http->post(delivery_path(options.id, options.delivery) + "/replay", "");
  return show(options.common, json, parse_delivery, print_delivery);
}

}  // namespace offpeak::cli
