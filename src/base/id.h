// Strong identifiers: a FileId cannot be passed where a BatchId is wanted.
//
// Ids are opaque strings that come from users as well as from us, so any text is a valid value;
// `make_*` in core/openai/ids.h creates new ones in the shapes OpenAI's clients expect.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace offpeak {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend auto operator<=>(const Id&, const Id&) = default;
  friend bool operator==(const Id&, const Id&) = default;

 private:
  std::string text_;
};

using ProjectId = Id<struct ProjectIdTag>;
using KeyId = Id<struct KeyIdTag>;
using FileId = Id<struct FileIdTag>;
using BatchId = Id<struct BatchIdTag>;
using UploadId = Id<struct UploadIdTag>;
using PartId = Id<struct PartIdTag>;
using WebhookEndpointId = Id<struct WebhookEndpointIdTag>;
using WebhookDeliveryId = Id<struct WebhookDeliveryIdTag>;
using WorkerId = Id<struct WorkerIdTag>;
using BlobKey = Id<struct BlobKeyTag>;

}  // namespace offpeak

template <class Tag>
struct std::hash<offpeak::Id<Tag>> {
  std::size_t operator()(const offpeak::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};

template <class Tag>
struct fmt::formatter<offpeak::Id<Tag>> : fmt::formatter<std::string_view> {
  auto format(const offpeak::Id<Tag>& id, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(id.text(), context);
  }
};
