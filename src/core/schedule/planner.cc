#include "core/schedule/planner.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace offpeak {

bool Planner::OpenBatch::has_work(SteadyTime now) const {
  if (!retries.empty() && retries.top().not_before <= now) return true;
  if (!plan.ranges.empty()) return true;
  return std::ranges::any_of(running, [](const auto& entry) { return entry.second.size() > 0; });
}

std::uint64_t Planner::least_served() const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [project, open] : open_batches_) {
    if (open > 0) least = std::min(least, served_tokens_.at(project));
  }
  return least == std::numeric_limits<std::uint64_t>::max() ? 0 : least;
}

void Planner::add(BatchTicket ticket, PlannedBatch batch) {
  const std::uint64_t floor = least_served();
  std::uint32_t& open = open_batches_[batch.project];
  std::uint64_t& served = served_tokens_[batch.project];
  if (open == 0) served = std::max(served, floor);
  ++open;
  OpenBatch entry{.plan = std::move(batch)};
  for (const auto& range : entry.plan.ranges) entry.rows_left += range.size();
  // Taken from the back.
  std::ranges::reverse(entry.plan.ranges);
  batches_.emplace(ticket, std::move(entry));
}

void Planner::serve_on(BatchTicket ticket, UpstreamSet upstreams) {
  const auto found = batches_.find(ticket);
  if (found == batches_.end() || found->second.plan.upstreams == upstreams) return;
  OpenBatch& batch = found->second;
  for (auto& [upstream, range] : batch.running) {
    if (upstreams.test(upstream) || range.size() == 0) continue;
    batch.plan.ranges.push_back(std::exchange(range, {}));
  }
  batch.plan.upstreams = upstreams;
}

void Planner::remove(BatchTicket ticket) {
  const auto found = batches_.find(ticket);
  if (found == batches_.end()) return;
  --open_batches_[found->second.plan.project];
  batches_.erase(found);
}

std::optional<PlannedRow> Planner::next(UpstreamIndex upstream, SteadyTime now, WallTime wall_now) {
  auto stay = stays_.find(upstream);
  if (stay == stays_.end() || stay->second.rows_left == 0 ||
      !may_stay(stay->second.batch, upstream, now)) {
    const auto chosen = choose(upstream, now, wall_now);
    if (!chosen) return std::nullopt;
    stay = stays_.insert_or_assign(upstream, Stay{*chosen, kQuantumRows}).first;
  }
  OpenBatch& batch = batches_.at(stay->second.batch);
  const auto position = take(batch, upstream, now);
  if (!position) return std::nullopt;
  --stay->second.rows_left;
  --batch.rows_left;
  served_tokens_[batch.plan.project] += batch.plan.tokens_per_row;
  return PlannedRow{stay->second.batch, *position};
}

bool Planner::may_stay(BatchTicket ticket, UpstreamIndex upstream, SteadyTime now) const {
  const auto found = batches_.find(ticket);
  return found != batches_.end() && found->second.plan.upstreams.test(upstream) &&
         found->second.has_work(now);
}

std::optional<BatchTicket> Planner::choose(UpstreamIndex upstream, SteadyTime now,
                                           WallTime wall_now) const {
  using Rank = std::tuple<std::uint64_t, bool, std::int64_t, BatchTicket>;
  std::optional<Rank> best;
  for (const auto& [ticket, batch] : batches_) {
    if (!batch.plan.upstreams.test(upstream) || !batch.has_work(now)) continue;
    const bool urgent = batch.plan.expires_at - wall_now < kDeadlineGuard;
    const Rank rank{served_tokens_.at(batch.plan.project), !urgent,
                    urgent ? batch.plan.expires_at.time_since_epoch().count()
                           : static_cast<std::int64_t>(batch.rows_left),
                    ticket};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return std::nullopt;
  return std::get<BatchTicket>(*best);
}

std::optional<std::uint32_t> Planner::take(OpenBatch& batch, UpstreamIndex upstream,
                                           SteadyTime now) {
  if (!batch.retries.empty() && batch.retries.top().not_before <= now) {
    const std::uint32_t position = batch.retries.top().position;
    batch.retries.pop();
    return position;
  }
  PositionRange& range = batch.running[upstream];
  if (range.size() == 0 && !refill(batch, upstream)) return std::nullopt;
  return range.first++;
}

bool Planner::refill(OpenBatch& batch, UpstreamIndex upstream) {
  PositionRange& mine = batch.running[upstream];
  if (!batch.plan.ranges.empty()) {
    mine = batch.plan.ranges.back();
    batch.plan.ranges.pop_back();
    return true;
  }
  const auto longest = std::ranges::max_element(
      batch.running, {}, [](const auto& entry) { return entry.second.size(); });
  if (longest->second.size() == 0) return false;
  const std::uint32_t stolen = (longest->second.size() + 1) / 2;
  mine = {longest->second.last - stolen, longest->second.last};
  longest->second.last -= stolen;
  return true;
}

void Planner::retry(PlannedRow row, SteadyTime not_before) {
  const auto found = batches_.find(row.batch);
  if (found == batches_.end()) return;
  found->second.retries.push({not_before, row.position});
  ++found->second.rows_left;
}

std::optional<SteadyTime> Planner::next_retry(UpstreamIndex upstream) const {
  std::optional<SteadyTime> soonest;
  for (const auto& [ticket, batch] : batches_) {
    if (!batch.plan.upstreams.test(upstream) || batch.retries.empty()) continue;
    const SteadyTime at = batch.retries.top().not_before;
    if (!soonest || at < *soonest) soonest = at;
  }
  return soonest;
}

}  // namespace offpeak
