#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "app/cli/command_line.h"

namespace offpeak::cli {
namespace {

void add_id(CLI::App& command, std::string& id) {
  command.add_option("ID", id, "The webhook endpoint")->required();
}

void add_events(CLI::App& command, std::vector<std::string>& events, const std::string& help) {
  command.add_option("--event", events, help)
      ->type_name("TYPE")
      ->type_size(1)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_changes(CLI::App& webhooks, Command& chosen, ClientHandlers& handlers) {
  auto [create, made] = add_command<WebhookCreateOptions>(
      webhooks, "create", "Make an endpoint; prints its signing secret, which is shown only here",
      chosen, std::move(handlers.webhook_create));
  create->add_option("--name", made->name, "What you call it")->required();
  create->add_option("--url", made->url, "Where events are sent")->required();
  add_events(*create, made->events, "An event to send; may be repeated [all]");

  auto [update, changed] = add_command<WebhookUpdateOptions>(
      webhooks, "update", "Change an endpoint", chosen, std::move(handlers.webhook_update));
  add_id(*update, changed->id);
  update->add_option("--name", changed->name, "A new name");
  update->add_option("--url", changed->url, "A new URL");
  add_events(*update, changed->events, "An event to send, in place of all; may be repeated");

  auto [remove, removed] = add_command<WebhookOptions>(
      webhooks, "delete", "Delete an endpoint and what is pending for it", chosen,
      std::move(handlers.webhook_delete));
  add_id(*remove, removed->id);

  auto [rotate, rotated] =
      add_command<WebhookRotateOptions>(webhooks, "rotate", "Make a new signing secret; prints it",
                                        chosen, std::move(handlers.webhook_rotate));
  add_id(*rotate, rotated->id);
  rotate->add_flag("--keep-old", rotated->keep_old, "The old secret signs too for 24 hours");
}

void add_deliveries(CLI::App& webhooks, Command& chosen, ClientHandlers& handlers) {
  auto [test, tested] = add_command<WebhookTestOptions>(
      webhooks, "test", "Send a sample event now; exit status 0 if the receiver answers 2xx",
      chosen, std::move(handlers.webhook_test));
  add_id(*test, tested->id);
  test->add_option("--event", tested->event, "Its type")->capture_default_str();

  auto [deliveries, listed] = add_command<WebhookDeliveriesOptions>(
      webhooks, "deliveries", "List what was sent to an endpoint; with a DELIVERY, each attempt",
      chosen, std::move(handlers.webhook_deliveries));
  add_id(*deliveries, listed->id);
  deliveries->add_option("DELIVERY", listed->delivery, "One delivery, with its attempts");
  add_paging(*deliveries, listed->limit, listed->after, 100);

  auto [replay, replayed] = add_command<WebhookReplayOptions>(
      webhooks, "replay", "Send a delivery again", chosen, std::move(handlers.webhook_replay));
  add_id(*replay, replayed->id);
  replay->add_option("DELIVERY", replayed->delivery, "The delivery")->required();
}

}  // namespace

void add_webhooks(CLI::App& app, Command& chosen, ClientHandlers& handlers) {
  CLI::App* webhooks = app.add_subcommand("webhooks", "Receive events when batches end");
  webhooks->alias("webhook");
  webhooks->require_subcommand(1);
  add_list(*webhooks, "List endpoints, newest first", chosen, std::move(handlers.webhook_list),
           100);
  auto [get, got] = add_command<WebhookOptions>(*webhooks, "get", "Show an endpoint", chosen,
                                                std::move(handlers.webhook_get));
  add_id(*get, got->id);
  add_changes(*webhooks, chosen, handlers);
  add_deliveries(*webhooks, chosen, handlers);
}

}  // namespace offpeak::cli
