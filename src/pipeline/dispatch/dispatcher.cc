#include "pipeline/dispatch/dispatcher.h"

#include <algorithm>
#include <utility>

#include "platform/observe/log.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
constexpr auto kWindowCheckInterval = 500ms;
constexpr auto kFullDiskRetry = 500ms;
constexpr auto kRenewalInterval = kLeaseLife / 4;

}  // namespace

Dispatcher::Dispatcher(DispatchWorld world, const DispatchPolicy& policy,
                       const std::vector<UpstreamSettings>& upstreams,
                       const http::ClientContext& client, Callbacks callbacks)
    : world_(std::move(world)), policy_(policy), callbacks_(std::move(callbacks)) {
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    upstreams_.push_back(
        std::make_unique<UpstreamSlots>(static_cast<UpstreamIndex>(i), upstreams[i], client));
  }
  next_renewal_ = world_.clock.steady_now() + kRenewalInterval;
  world_.loop.spawn(tick_for_ever());
}

Dispatcher::~Dispatcher() = default;

Task<> Dispatcher::tick_for_ever() {
  while (true) {
    co_await sleep_for(world_.loop, kTick);
    tick();
  }
}

void Dispatcher::tick() {
  const SteadyTime now = world_.clock.steady_now();
  if (disk_full_ && now >= next_flush_) flush();
  if (now >= next_window_check_) {
    next_window_check_ = now + kWindowCheckInterval;
    check_windows();
    update_routes();
  }
  if (now >= next_renewal_) {
    next_renewal_ = now + kRenewalInterval;
    renew_leases();
  }
  fill_slots();
  if (!drained_) return;
  std::uint32_t busy = 0;
  for (const auto& upstream : upstreams_) busy += upstream->busy();
  if (busy > 0 && now < drain_deadline_) return;
  for (const auto& upstream : upstreams_) upstream->abort_all();
  std::exchange(drained_, nullptr)();
}

void Dispatcher::add(BatchRecord batch) {
  world_.loop.post([this, batch = std::move(batch)] {
    waiting_.add(batch);
    open_next();
  });
}

void Dispatcher::cancel(const BatchId& batch) {
  world_.loop.post([this, batch] {
    if (auto waiting = waiting_.take(batch)) {
      waiting->status = BatchStatus::cancelling;
      open(std::move(*waiting));
      return;
    }
    const BatchTicket ticket = ticket_of(batch);
    if (ticket != BatchTicket{}) {
      end(ticket, Ending::cancelled);
    } else if (const auto opening = opening_.find(batch); opening != opening_.end()) {
      opening->second = true;
    }
  });
}

void Dispatcher::drain(SteadyTime deadline, std::function<void()> done) {
  world_.loop.post([this, deadline, done = std::move(done)] {
    stopping_ = true;
    drain_deadline_ = deadline;
    drained_ = done;
  });
}

BatchTicket Dispatcher::ticket_of(const BatchId& batch) const {
  for (const auto& [ticket, run] : runs_) {
    if (run->record.id == batch) return ticket;
  }
  return BatchTicket{};
}

void Dispatcher::open_next() {
  while (!stopping_ && open_ < policy_.open_batches_max) {
    auto batch = waiting_.take_next();
    if (!batch) return;
    open(std::move(*batch));
  }
}

void Dispatcher::open(BatchRecord batch) {
  ++open_;
  opening_.emplace(batch.id, false);
  world_.workers.post([this, batch = std::move(batch)]() mutable {
    auto run = open_run(batch);
    if (run) world_.progress.show(batch.id, (*run)->recovered.totals, (*run)->part);
    // std::function wants a copyable callable.
    auto result = std::make_shared<Result<std::unique_ptr<BatchRun>>>(std::move(run));
    world_.loop.post(
        [this, batch = std::move(batch), result] { opened(batch, std::move(*result)); });
  });
}

/// As the batch is now: a cancel may have come before anybody here knew of it.
Result<std::unique_ptr<BatchRun>> Dispatcher::open_run(const BatchRecord& batch) {
  const auto current = world_.meta.batch(batch.project, batch.id);
  if (!current) return std::unexpected(current.error());
  return BatchRun::open(world_.blobs, world_.meta, *current, world_.worker,
                        world_.clock.unix_now());
}

void Dispatcher::opened(BatchRecord batch, Result<std::unique_ptr<BatchRun>> opened_run) {
  const bool cancelled = opening_.extract(batch.id).mapped();
  if (!opened_run) {
    log::error("dispatch", "batch {} cannot be opened, trying again: {}", batch.id,
               opened_run.error().message);
    --open_;
    waiting_.closed(batch.project);
    if (opened_run.error().kind == ErrorKind::conflict) return;
    waiting_.add(std::move(batch));
    return;
  }
  const RunPtr run = std::move(*opened_run);
  const auto ticket = BatchTicket{next_ticket_++};
  runs_.emplace(ticket, run);
  if (cancelled || run->record.status == BatchStatus::cancelling) {
    return end(ticket, Ending::cancelled);
  }
  if (run->record.expires_at <= world_.clock.unix_now()) return end(ticket, Ending::expired);
  if (run->rows_left == 0) return end_if_idle(ticket, *run);
  planner_.add(ticket, {.project = run->record.project,
                        .ranges = run->remaining(),
                        .tokens_per_row = run->tokens_per_row(),
                        .expires_at = run->record.expires_at});
  update_routes();
  fill_slots();
}

/// Upstreams come to serve a model, or cease to, while its batches run.
void Dispatcher::update_routes() {
  for (const auto& [ticket, run] : runs_) {
    const auto route = world_.models.route(run->requested_model);
    planner_.serve_on(ticket, route ? route->upstreams : UpstreamSet());
  }
}

void Dispatcher::end(BatchTicket ticket, Ending ending) {
  const auto found = runs_.find(ticket);
  if (found == runs_.end() || found->second->ending != Ending::none) return;
  BatchRun& run = *found->second;
  run.ending = ending;
  planner_.remove(ticket);
  if (ending == Ending::expired) {
    for (const auto& upstream : upstreams_) upstream->abort(ticket);
  }
  end_if_idle(ticket, run);
}

void Dispatcher::end_if_idle(BatchTicket ticket, BatchRun& run) {
  if (run.rows_left == 0 && run.ending == Ending::none) run.ending = Ending::completed;
  if (run.ending == Ending::none || run.in_flight > 0 || run.part->has_unwritten()) return;
  const auto found = runs_.find(ticket);
  if (found == runs_.end()) return;
  RunPtr ended = found->second;
  planner_.remove(ticket);
  runs_.erase(found);
  finish(std::move(ended));
}

void Dispatcher::finish(RunPtr run) {
  world_.workers.post([this, run = std::move(run)] {
    const auto finished = callbacks_.finish(*run);
    // A conflict means that the lease is lost: another worker ends the batch.
    const bool again = !finished && finished.error().kind != ErrorKind::conflict;
    if (!finished) {
      log::error("dispatch", "batch {} cannot be finished{}: {}", run->record.id,
                 again ? " yet" : "", finished.error().message);
    }
    world_.loop.post([this, run, again] {
      if (again) {
        world_.loop.spawn(finish_later(run));
        return;
      }
      world_.progress.forget(run->record.id);
      --open_;
      waiting_.closed(run->record.project);
      open_next();
    });
  });
}

Task<> Dispatcher::finish_later(RunPtr run) {
  co_await sleep_for(world_.loop, kFullDiskRetry);
  finish(std::move(run));
}

void Dispatcher::check_windows() {
  const UnixSeconds now = world_.clock.unix_now();
  for (auto& batch : waiting_.take_expired(now)) open(std::move(batch));
  std::vector<BatchTicket> expired;
  for (const auto& [ticket, run] : runs_) {
    if (run->ending == Ending::none && run->record.expires_at <= now) expired.push_back(ticket);
  }
  for (const BatchTicket ticket : expired) end(ticket, Ending::expired);
  open_next();
}

void Dispatcher::renew_leases() {
  for (const auto& [ticket, run] : runs_) {
    world_.workers.post([this, lease = run->lease] {
      const auto renewed = world_.meta.renew_lease(lease, world_.clock.unix_now(), kLeaseLife);
      if (!renewed) {
        log::error("dispatch", "the lease of batch {} cannot be renewed: {}", lease.batch,
                   renewed.error().message);
      }
    });
  }
}

std::optional<PlannedRow> Dispatcher::take_row(UpstreamSlots& upstream) {
  if (stopping_ || disk_full_) return std::nullopt;
  const SteadyTime now = world_.clock.steady_now();
  if (!upstream.gate().try_enter(now)) return std::nullopt;
  const auto row = planner_.next(upstream.index(), now, world_.clock.wall_now());
  if (!row) {
    upstream.gate().abandoned();
    return std::nullopt;
  }
  ++runs_.at(row->batch)->in_flight;
  return row;
}

std::uint32_t Dispatcher::slots_for_batches(const UpstreamSlots& upstream) const {
  const std::uint32_t all = upstream.settings().max_concurrency;
  if (world_.interactive == nullptr) return all;
  return all - std::min(all, world_.interactive->in_flight(upstream.index()));
}

void Dispatcher::fill_slots() {
  for (const auto& upstream : upstreams_) {
    while (upstream->busy() < slots_for_batches(*upstream)) {
      const auto row = take_row(*upstream);
      if (!row) break;
      world_.loop.spawn(run_slot(*upstream, upstream->acquire(), *row));
    }
  }
}

Task<> Dispatcher::run_slot(UpstreamSlots& upstream, Slot& slot, PlannedRow first) {
  std::optional<PlannedRow> row = first;
  while (row) {
    co_await run_row(upstream, slot, *row);
    // Synchronous calls may have come meanwhile: then this slot is theirs.
    row = upstream.busy() <= slots_for_batches(upstream) ? take_row(upstream) : std::nullopt;
  }
  upstream.release(slot);
}

Task<> Dispatcher::written() {
  if (!flush_posted_ && !disk_full_) {
    flush_posted_ = true;
    world_.loop.post([this] { flush(); });
  }
  co_await waiting_for_flush_.wait();
}

void Dispatcher::flush() {
  flush_posted_ = false;
  bool full = false;
  for (const auto& [ticket, run] : runs_) {
    if (!run->part->has_unwritten()) continue;
    const auto flushed = run->part->flush();
    if (flushed) {
      world_.sync.request(run->part);
    } else if (flushed.error().kind == ErrorKind::storage_full) {
      full = true;
    } else {
      callbacks_.fatal(flushed.error());
      return;
    }
  }
  if (full && !disk_full_) {
    log::warn("dispatch", "the disk is full: batches pause and go on when there is room");
  } else if (!full && disk_full_) {
    log::info("dispatch", "there is room on the disk again: batches go on");
  }
  disk_full_ = full;
  if (full) {
    next_flush_ = world_.clock.steady_now() + kFullDiskRetry;
    return;
  }
  waiting_for_flush_.release_all();
}

}  // namespace offpeak
