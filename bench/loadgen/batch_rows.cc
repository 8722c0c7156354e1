#include "bench/loadgen/batch_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace offpeak::bench {
namespace {

std::string_view map_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
    throw std::runtime_error(fmt::format("cannot read {} (missing or empty)", path));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  ::close(fd);
  if (address == MAP_FAILED) throw std::runtime_error("mmap failed");
  return {static_cast<const char*>(address), size};
}

}  // namespace

BatchRows::BatchRows(const std::string& path) : file_(map_file(path)) {
  simdjson::ondemand::parser parser;
  std::string line;
  for (auto rest = file_; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    line.assign(rest.substr(0, end));
    line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    std::string_view body;
    if (parser.iterate(line.data(), line.size(), line.capacity()).get(document) ||
        document.get_object().get(object) ||
        object.find_field_unordered("body").get_object().get(object) ||
        object.raw_json().get(body)) {
      throw std::runtime_error(fmt::format("{}: row {} has no body", path, bodies_.size() + 1));
    }
    bodies_.push_back(
        rest.substr(static_cast<std::size_t>(body.data() - line.data()), body.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

BatchRows::~BatchRows() {
  munmap(const_cast<char*>(file_.data()), file_.size());
}

}  // namespace offpeak::bench
