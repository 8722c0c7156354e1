// The schema of the metadata database, as numbered steps. A step that has been released never
// changes.
#pragma once

#include "base/error.h"
#include "platform/meta/sqlite.h"

namespace offpeak {

/// The number of steps: the schema version this program writes.
int schema_version();

/// Brings the database up to date, each step in a transaction of its own. Refuses a database of a
/// newer program, and one that is not offpeak's. Tests make older databases by `up_to`.
Status migrate(sqlite::Connection& writer, int up_to = schema_version());

}  // namespace offpeak
