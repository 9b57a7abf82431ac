// eval_summary.h - an evaluation in a few lines: the table of groups, and limits that were asked
// for.
#pragma once

#include <string>

#include "apps/kani/eval_options.h"
#include "kani/base/json.h"

namespace kani::cli {

/// One line for each group of the document eval.json; columns that nobody measured are left out.
std::string eval_table(const Json& document);

/// What was asked for and what was found: [{name, bound, value, held}].  With utterances that the
/// recognizer failed on a limit on word errors is not held: nobody knows.
Json eval_limits(const EvalOptions& options, const Json& document);

/// "max_wer is 0.74, at most 0.3".
std::string limit_words(const Json& limit);

}  // namespace kani::cli
