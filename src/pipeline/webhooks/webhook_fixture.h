// What the tests of service and courier share: one project in a store in memory, a scripted sender,
// a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/records/transitions.h"
#include "pipeline/webhooks/webhook_service.h"
#include "platform/meta/memory_meta_store.h"
#include "platform/webclient/scripted_sender.h"

namespace offpeak {

class WebhookTest : public testing::Test {
 protected:
  WebhookTest() {
    for (const ProjectId& project : {kMine, kOther}) {
      const ApiKey key{
          .id = KeyId("key_" + project.text()), .project = project, .sha256 = project.text()};
      EXPECT_TRUE(meta.create_project({.id = project, .name = project.text()}, key));
    }
  }

  EndpointWithSecret make_endpoint(const std::string& url = "https://receiver.example/",
                                   std::vector<std::string> types = {"batch.completed",
                                                                     "batch.failed"}) {
    auto made = service.create(kMine, {.name = "n", .url = url, .event_types = std::move(types)},
                               RequestMark{});
    EXPECT_TRUE(made);
    return made.value();
  }

  /// A batch from its creation to a failed or completed end: an event.
  void end_batch(const std::string& id, BatchStatus end = BatchStatus::completed,
                 const ProjectId& project = kMine) {
    const UnixSeconds now = clock.unix_now();
    const BatchRecord batch{.id = BatchId("batch_" + id),
                            .project = project,
                            .input_file = FileId("file-1"),
                            .endpoint = "/v1/embeddings",
                            .completion_window = "24h",
                            .created_at = now,
                            .expires_at = now + std::chrono::hours(24)};
    ASSERT_TRUE(meta.insert_batch(batch));
    if (end == BatchStatus::failed) {
      ASSERT_TRUE(meta.update_batch(failed(batch, {}, now)));
      return;
    }
    auto stored = meta.update_batch(started(batch, 1, "m", now));
    ASSERT_TRUE(stored);
    stored = meta.update_batch(finalizing(*stored, now));
    ASSERT_TRUE(stored);
    ASSERT_TRUE(meta.update_batch(completed(*stored, {}, now)));
  }

  std::vector<WebhookDelivery> deliveries(const WebhookEndpointId& endpoint) {
    return meta.deliveries(kMine, endpoint, {.order = SortOrder::oldest_first}).value().data;
  }

  static inline const ProjectId kMine{"proj_mine"};
  static inline const ProjectId kOther{"proj_other"};

  MemoryMetaStore meta;
  ManualClock clock{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
  SystemRandom random;
  SecretBox box{make_secret_key(random), random};
  ScriptedSender sender;
  WebhookWorld world{meta, clock, random, box, sender};
  WebhookService service{world};
};

/// The value of a header that is sent once.
inline std::string header_of(const WebhookRequest& request, std::string_view name) {
  std::string found;
  for (const auto& [key, value] : request.headers) {
    if (key == name) found += value;
  }
  return found;
}

}  // namespace offpeak
