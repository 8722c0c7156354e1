#include "core/pace/upstream_gate.h"

#include <algorithm>

namespace offpeak {

bool UpstreamGate::try_enter(SteadyTime now) {
  if (now < paused_until_) return false;
  if (!down_since_) return true;
  if (probing_ || now < next_probe_) return false;
  probing_ = true;
  return true;
}

void UpstreamGate::reached() {
  down_since_.reset();
  probing_ = false;
  ever_reached_ = true;
  probe_delay_ = kProbeFirst;
}

void UpstreamGate::unreachable(SteadyTime now) {
  probing_ = false;
  if (!down_since_) {
    down_since_ = now;
  } else if (now < next_probe_) {
    return;  // one of the attempts that were under way when the upstream went down
  }
  next_probe_ = now + probe_delay_;
  probe_delay_ = std::min(kProbeMax, probe_delay_ * 2);
}

void UpstreamGate::pause(SteadyTime now, std::chrono::milliseconds delay) {
  paused_until_ = std::max(paused_until_, now + delay);
}

std::optional<SteadyTime> UpstreamGate::opens_at(SteadyTime now) const {
  const SteadyTime at = down_since_ ? std::max(paused_until_, next_probe_) : paused_until_;
  if (at <= now) return std::nullopt;
  return at;
}

}  // namespace offpeak
