// offpeak-sim: a simulated inference server. README.md in this folder says what it can do.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>

#include "sim/attempt_log.h"
#include "sim/options.h"
#include "sim/server.h"
#include "sim/simulator.h"

namespace {

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const offpeak::Error& error) {
  fmt::print(stderr, "offpeak-sim: {}\n", error.message);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace offpeak::sim;
  Options options;
  if (const auto status = parse_options(argc, argv, options)) return *status;
  raise_file_limit();
  AttemptLog log;
  if (!options.log_path.empty()) {
    if (const auto opened = log.open(options.log_path); !opened) return complain(opened.error());
  }
  Simulator simulator(options, log);
  Server server(simulator, log);
  const auto port = server.listen(options.host, options.port);
  if (!port) return complain(port.error());
  fmt::print("ready http://{}:{}\n", options.host, *port);
  std::fflush(stdout);
  server.run();
  return 0;
}
