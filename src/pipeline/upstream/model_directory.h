// Which upstreams serve a model, and under which name each knows it. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/schedule/planner.h"
#include "pipeline/upstream/upstream_settings.h"

namespace offpeak {

struct ModelRoute {
  UpstreamSet upstreams;
  std::string served_model;  // the resolved name, shown as the batch's model
  bool stand_in = false;     // nobody serves what was asked for; a default or the local engine does
};

class ModelDirectory {
 public:
  /// `default_model` may be empty. Copies the settings; upstreams keep their index.
  ModelDirectory(const std::vector<UpstreamSettings>& upstreams, std::string default_model);

  /// Where requests for `model` go; "" asks for whatever is the default. nullopt: nowhere (yet).
  std::optional<ModelRoute> route(std::string_view model) const;
  /// The name under which `upstream` knows `model`. REQUIRES: it is on the model's route.
  std::string served_name(UpstreamIndex upstream, std::string_view model) const;

  /// As route(), but while some upstream has not yet said which models it serves, waits up to
  /// `patience` for it. not_found is the user's error (contract section 4.3: model_not_found);
  /// unavailable means that close() was called and nothing is known.
  Result<ModelRoute> require(std::string_view model, std::chrono::milliseconds patience) const;

  /// Whether some upstream has not yet said which models it serves, so that a model that is
  /// nowhere may still turn up.
  bool incomplete() const;

  /// What `upstream` answered to GET /v1/models.
  void discovered(UpstreamIndex upstream, std::vector<std::string> models);
  /// Why it could not be asked (yet), for the message of require().
  void not_discovered(UpstreamIndex upstream, std::string reason);
  /// It never will be: nobody waits for it any more.
  void gave_up(UpstreamIndex upstream, std::string reason);
  /// Ends every wait in require(), now and later.
  void close();

  struct Listed {
    std::string id;
    std::string owned_by;  // the upstream's name
  };
  /// Every public name, sorted, each once.
  std::vector<Listed> list() const;

 private:
  struct Entry {
    UpstreamSettings settings;
    std::vector<std::string> models;
    bool known = false;
    std::string trouble;

    std::optional<std::string> served(std::string_view model) const;
  };

  std::optional<ModelRoute> route_locked(std::string_view model) const;
  std::optional<ModelRoute> direct_route(std::string_view model) const;
  std::string missing_message(std::string_view model) const;

  std::string default_model_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Entry> entries_;
  bool closed_ = false;
};

}  // namespace offpeak
