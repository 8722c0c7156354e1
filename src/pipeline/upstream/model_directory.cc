#include "pipeline/upstream/model_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace offpeak {

std::string UpstreamSettings::label() const {
  return fmt::format("{} ({}://{}{})", name, endpoint.tls ? "https" : "http", endpoint.authority(),
                     endpoint.prefix);
}

ModelDirectory::ModelDirectory(const std::vector<UpstreamSettings>& upstreams,
                               std::string default_model)
    : default_model_(std::move(default_model)) {
  for (const auto& settings : upstreams) {
    entries_.push_back({settings, settings.models, !settings.models.empty(), ""});
  }
}

std::optional<std::string> ModelDirectory::Entry::served(std::string_view model) const {
  if (const auto alias = settings.aliases.find(std::string(model));
      alias != settings.aliases.end()) {
    return alias->second;
  }
  if (std::ranges::find(models, model) != models.end()) return std::string(model);
  return std::nullopt;
}

std::optional<ModelRoute> ModelDirectory::direct_route(std::string_view model) const {
  ModelRoute route;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto served = entries_[i].served(model);
    if (!served) continue;
    if (route.upstreams.none()) route.served_model = *served;
    route.upstreams.set(i);
  }
  if (route.upstreams.none()) return std::nullopt;
  return route;
}

std::optional<ModelRoute> ModelDirectory::route_locked(std::string_view model) const {
  if (!model.empty()) {
    if (auto route = direct_route(model)) return route;
  }
  if (!default_model_.empty()) {
    if (auto route = direct_route(default_model_)) {
      route->stand_in = true;
      return route;
    }
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].settings.catch_all || entries_[i].models.empty()) continue;
    return ModelRoute{UpstreamSet().set(i), entries_[i].models.front(), true};
  }
  return std::nullopt;
}

std::optional<ModelRoute> ModelDirectory::route(std::string_view model) const {
  const std::lock_guard lock(mutex_);
  return route_locked(model);
}

std::string ModelDirectory::served_name(UpstreamIndex upstream, std::string_view model) const {
  const std::lock_guard lock(mutex_);
  const Entry& entry = entries_.at(upstream);
  if (auto served = entry.served(model)) return *served;
  if (auto served = entry.served(default_model_)) return *served;
  return entry.models.empty() ? std::string(model) : entry.models.front();
}

std::string ModelDirectory::missing_message(std::string_view model) const {
  std::string message =
      model.empty()
          ? "The requests name no model, and no default_model is set."
          : fmt::format("The provided model '{}' is not supported by the Batch API.", model);
  for (const Entry& entry : entries_) {
    if (entry.known && entry.trouble.empty()) continue;
    message += fmt::format(
        " Upstream {} has not said which models it serves: {}. Check that it runs.",
        entry.settings.label(), entry.trouble.empty() ? "no answer yet" : entry.trouble);
  }
  if (entries_.empty()) {
    message += " No upstream is configured and no local engine runs.";
  }
  return message;
}

Result<ModelRoute> ModelDirectory::require(std::string_view model,
                                           std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  std::optional<ModelRoute> route;
  const auto settled = [&] {
    route = route_locked(model);
    return route.has_value() || closed_ || std::ranges::all_of(entries_, &Entry::known);
  };
  changed_.wait_for(lock, patience, settled);
  if (route) return *route;
  if (closed_) return fail(ErrorKind::unavailable, "The server is stopping.");
  return fail(ErrorKind::not_found, missing_message(model), "model_not_found", "body.model");
}

bool ModelDirectory::incomplete() const {
  const std::lock_guard lock(mutex_);
  return !std::ranges::all_of(entries_, &Entry::known);
}

void ModelDirectory::discovered(UpstreamIndex upstream, std::vector<std::string> models) {
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(upstream);
    entry.models = std::move(models);
    entry.known = true;
    entry.trouble.clear();
  }
  changed_.notify_all();
}

void ModelDirectory::not_discovered(UpstreamIndex upstream, std::string reason) {
  const std::lock_guard lock(mutex_);
  entries_.at(upstream).trouble = std::move(reason);
}

void ModelDirectory::gave_up(UpstreamIndex upstream, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    entries_.at(upstream).known = true;
    entries_.at(upstream).trouble = std::move(reason);
  }
  changed_.notify_all();
}

void ModelDirectory::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::vector<ModelDirectory::Listed> ModelDirectory::list() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> names;
  for (const Entry& entry : entries_) {
    for (const auto& model : entry.models) names.emplace(model, entry.settings.name);
    for (const auto& [alias, model] : entry.settings.aliases) {
      names.emplace(alias, entry.settings.name);
    }
  }
  std::vector<Listed> listed;
  listed.reserve(names.size());
  for (auto& [id, owner] : names) listed.push_back({id, owner});
  return listed;
}

}  // namespace offpeak
