// The part of Dispatcher that deals with one row: send it, decide what its outcome means, record
// it.
#include <fmt/format.h>

#include <utility>

#include "core/batch/result_line.h"
#include "core/jsonl/json_text.h"
#include "pipeline/dispatch/dispatcher.h"
#include "pipeline/upstream/upstream_client.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

/// The body with its model replaced by the name the upstream knows, every other byte as it was.
SplicedBody splice_model(const RowRequest& request, std::string_view served_literal) {
  if (request.model.empty() || request.model == served_literal) return {request.body};
  const auto offset = static_cast<std::size_t>(request.model.data() - request.body.data());
  return {request.body.substr(0, offset), served_literal,
          request.body.substr(offset + request.model.size())};
}

}  // namespace

Task<Attempt> Dispatcher::send(UpstreamSlots& upstream, Slot& slot, const BatchRun& run,
                               const RowRequest& request, std::uint32_t attempt) {
  if (slot.asked_model != request.model) {
    slot.asked_model = request.model;
    const auto asked = decode_json_string(request.model);
    slot.served_model =
        encode_json_string(world_.models.served_name(upstream.index(), asked.value_or("")));
  }
  const std::string key = fmt::format("{}-{}", run.record.id, request.row + 1);
  const SplicedBody body = splice_model(request, slot.served_model);
  const RowHead head{key, attempt};
  slot.sending = true;
  auto reply = co_await send_row(slot.connection, upstream.head(run.record.endpoint), head, body,
                                 world_.clock.steady_now() + upstream.settings().timeout);
  slot.sending = false;
  co_return reply;
}

Task<> Dispatcher::run_row(UpstreamSlots& upstream, Slot& slot, PlannedRow row) {
  const RunPtr run = runs_.at(row.batch);
  if (run->ending != Ending::none || stopping_) {
    upstream.gate().abandoned();
    --run->in_flight;
    end_if_idle(row.batch, *run);
    co_return;
  }
  RowRequest request;
  if (auto read = run->read_row(run->order[row.position], request); !read) {
    log::error("dispatch", "batch {}: row {} cannot be read: {}", run->record.id,
               run->order[row.position] + 1, read.error().message);
    callbacks_.fatal(read.error());
    co_return;
  }
  if (slot.batch != row.batch) slot.asked_model.clear();
  slot.batch = row.batch;
  const auto trouble = run->troubles.find(row.position);
  const std::uint32_t attempts = trouble == run->troubles.end() ? 0 : trouble->second.attempts;
  auto attempt = co_await send(upstream, slot, *run, request, attempts + 1);
  const bool done = settle(upstream, run, row, request, std::move(attempt));
  if (done) {
    co_await written();
    --run->rows_left;
  }
  --run->in_flight;
  end_if_idle(row.batch, *run);
}

bool Dispatcher::settle(UpstreamSlots& upstream, const RunPtr& run, PlannedRow row,
                        const RowRequest& request, Attempt attempt) {
  AnswerFacts facts;
  if (auto* const reply = std::get_if<HttpReply>(&attempt)) {
    facts = answers_.read(reply->body);
    upstream.gate().reached();
  } else if (std::get<NoReply>(attempt).failure != TransportFailure::connect) {
    upstream.gate().reached();
  }
  const std::uint32_t attempts =
      run->troubles.contains(row.position) ? run->troubles.at(row.position).attempts + 1 : 1;
  auto outcome = classify(std::move(attempt), facts.json_valid, world_.clock.wall_now());
  if (auto* const answer = std::get_if<Answered>(&outcome)) {
    record_answer(*run, request, *answer, facts, attempts);
    run->troubles.erase(row.position);
    return true;
  }
  auto& trouble = std::get<RetryLater>(outcome);
  return settle_trouble(upstream, *run, row, request, std::move(trouble), facts.json_valid);
}

bool Dispatcher::settle_trouble(UpstreamSlots& upstream, BatchRun& run, PlannedRow row,
                                const RowRequest& request, RetryLater trouble, bool json_valid) {
  const SteadyTime now = world_.clock.steady_now();
  // A row that comes back unanswered after the batch's end was never run.
  if (run.ending == Ending::expired || run.ending == Ending::cancelled) {
    upstream.gate().abandoned();
    return false;
  }
  if (stopping_) {
    planner_.retry(row, now);
    return false;
  }
  RowTrouble& history = run.troubles[row.position];
  const std::string where = upstream.settings().label();
  if (trouble.unreachable) {
    if (wait_for_upstream(upstream, run, row, history)) return false;
    trouble.message = fmt::format(
        "{} Upstream {} has been unreachable for too long. Check that it "
        "runs and that its base_url is right.",
        trouble.message, where);
  } else {
    ++history.attempts;
    if (trouble.not_before && *trouble.not_before > std::chrono::milliseconds(0)) {
      upstream.gate().pause(now, *trouble.not_before);
    }
    if (history.attempts < policy_.backoff.max_attempts) {
      const auto delay = backoff_delay(policy_.backoff, history.attempts, trouble.not_before,
                                       world_.random.unit());
      planner_.retry(row, now + delay);
      log::debug("dispatch", "batch {} row {} attempt {} at {}: {} Again in {} ms.", run.record.id,
                 request.row + 1, history.attempts, where, trouble.message, delay.count());
      return false;
    }
  }
  if (trouble.last_answer) {
    record_answer(run, request, *trouble.last_answer, {.json_valid = json_valid}, history.attempts);
  } else {
    record_error(run, request, trouble.code,
                 fmt::format("{} (upstream {}, {} attempts)", trouble.message, where,
                             history.attempts + (trouble.unreachable ? 1 : 0)),
                 history.attempts);
  }
  run.troubles.erase(row.position);
  return true;
}

bool Dispatcher::wait_for_upstream(UpstreamSlots& upstream, const BatchRun& run, PlannedRow row,
                                   RowTrouble& trouble) {
  const SteadyTime now = world_.clock.steady_now();
  UpstreamGate& gate = upstream.gate();
  const bool was_down = gate.down();
  gate.unreachable(now);
  if (!was_down) {
    log::warn("dispatch", "upstream {} cannot be reached; its rows wait.",
              upstream.settings().label());
  }
  if (!trouble.unreachable_since) trouble.unreachable_since = now;
  // One that never answered is likely misconfigured, and then all rows may know soon; an outage
  // costs none but the few rows that probe. Rows done before a restart prove an outage, too.
  const bool outage = gate.ever_reached() || run.recovered.totals.rows > 0;
  const bool waited_enough = outage
                                 ? now - *trouble.unreachable_since >= policy_.unreachable_timeout
                                 : now - *gate.down_since() >= policy_.never_reached_timeout;
  if (waited_enough) {
    if (!outage) gate.probe_soon(now);
    return false;
  }
  planner_.retry(row, gate.opens_at(now).value_or(now));
  return true;
}

void Dispatcher::record_answer(BatchRun& run, const RowRequest& request, const Answered& answer,
                               const AnswerFacts& facts, std::uint32_t attempts) {
  const bool completed = answer.status == 200;
  std::string line;
  line.reserve(answer.body.size() + request.custom_id.size() + 256);
  append_answer_line(line, RowName(run.name_seed, request.row),
                     {.custom_id = request.custom_id,
                      .status = answer.status,
                      .request_id = answer.request_id,
                      .body = answer.body,
                      .json_valid = facts.json_valid});
  run.finish_row({.row = request.row,
                  .file = completed ? ResultFile::output : ResultFile::errors,
                  .fate = completed ? RowFate::completed : RowFate::failed,
                  .status = static_cast<std::uint16_t>(answer.status),
                  .usage = completed ? facts.usage : TokenUsage{},
                  .attempts = attempts},
                 line);
}

void Dispatcher::record_error(BatchRun& run, const RowRequest& request, std::string_view code,
                              std::string_view message, std::uint32_t attempts) {
  std::string line;
  append_error_line(line, RowName(run.name_seed, request.row), request.custom_id, code, message);
  run.finish_row({.row = request.row,
                  .file = ResultFile::errors,
                  .fate = RowFate::failed,
                  .attempts = attempts},
                 line);
}

}  // namespace offpeak
