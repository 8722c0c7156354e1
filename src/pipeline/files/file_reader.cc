#include "pipeline/files/file_reader.h"

#include <algorithm>
#include <utility>

namespace offpeak {

Result<FileReader> FileReader::open(BlobStore& blobs, const std::vector<Extent>& content) {
  FileReader reader;
  for (const Extent& extent : content) {
    auto blob = blobs.open(extent.blob);
    if (!blob) return std::unexpected(blob.error());
    reader.pieces_.push_back({reader.size_, extent.bytes, std::move(*blob)});
    reader.size_ += extent.bytes;
  }
  return reader;
}

Result<std::size_t> FileReader::read_at(std::uint64_t offset, std::span<char> out) const {
  std::size_t done = 0;
  auto piece = std::ranges::partition_point(
      pieces_, [&](const Piece& p) { return p.begin + p.bytes <= offset; });
  for (; piece != pieces_.end() && done < out.size(); ++piece) {
    const std::uint64_t within = offset + done - piece->begin;
    const auto wanted = std::min<std::uint64_t>(out.size() - done, piece->bytes - within);
    const auto count = piece->blob->read_at(within, out.subspan(done, wanted));
    if (!count) return count;
    if (*count != wanted) {
      return fail(ErrorKind::internal, "A stored file is shorter than its record says.");
    }
    done += wanted;
  }
  return done;
}

}  // namespace offpeak
