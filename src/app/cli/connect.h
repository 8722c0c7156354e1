// Which server a client command talks to, and with which key.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "app/cli/exit_code.h"
#include "app/cli/http_session.h"
#include "app/cli/local_server.h"

namespace offpeak::cli {

/// Flags that every client command takes.
struct CommonOptions {
  std::string base_url;
  std::string data_dir;
  bool json = false;
};

struct Target {
  Endpoint endpoint;
  std::filesystem::path data_dir;  // of the local server, for its default key
  bool by_default = false;         // nobody named a URL: the local server's default address
};

/// --base-url, else OFFPEAK_BASE_URL, else OPENAI_BASE_URL, else the local default; with or without
/// /v1. The key is OFFPEAK_API_KEY, else OPENAI_API_KEY, else the local server's default.key. A key
/// is kept from servers it cannot be meant for: OPENAI_API_KEY from the local default address
/// unless it is an offpeak key, default.key from addresses that are not this machine's.
CliResult<Target> resolve_target(const CommonOptions& options,
                                 const std::map<std::string, std::string>& environment);

struct Connection {
  std::unique_ptr<LocalServer> server;  // set if it was started for this command; stops with it
  std::unique_ptr<HttpSession> http;
};

CliResult<Connection> connect(const CommonOptions& options);

/// As connect(); but if nobody named a URL and no server runs there, starts one.
CliResult<Connection> connect_or_start(const CommonOptions& options);

}  // namespace offpeak::cli
