// Bindings: declaring, finding, ending; what is said of those never read.
#include <algorithm>

#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

void Resolver::begin_function() {
  bindings_.resize(1);
  vars_.clear();
  levels_.clear();
  levels_.push_back({nullptr, {}, {}});
  region_.clear();
  ended_.clear();
  ended_is_.clear();
  unknown_names_.clear();
  conditional_ = 0;
}

void Resolver::end_function(FunctionDef* function) { function->vars = arena_.copy(vars_); }

VarId Resolver::new_var(Symbol name, Span span) {
  VarId var = static_cast<VarId>(vars_.size());
  vars_.push_back({name, span});
  return var;
}

void Resolver::push_scope(ScopeKind kind, const Expr* owner) {
  scopes_.push_back({kind, bindings_.size(), owner});
}

void Resolver::pop_scope() {
  size_t base = scopes_.back().base;
  for (size_t i = bindings_.size(); i > base; --i) {
    const Binding& binding = bindings_[i - 1];
    if (visible_.get(binding.name) == i - 1) visible_[binding.name] = binding.shadows;
    bool bound_here = binding.cause != nullptr && binding.level + 1 == levels_.size();
    if (bound_here && scopes_.size() > 1) {
      ended_.emplace(static_cast<uint32_t>(binding.name), binding.span);
    }
  }
  for (size_t i = base; i < bindings_.size(); ++i) {
    if (!bindings_[i].read) warn_unused(bindings_[i]);
  }
  while (!region_.empty() && region_.back() >= base) region_.pop_back();
  bindings_.resize(base);
  scopes_.pop_back();
}

uint32_t Resolver::declare(Symbol name, VarId var, Span span, BindingKind kind) {
  uint32_t index = static_cast<uint32_t>(bindings_.size());
  uint32_t& top = visible_[name];
  Binding binding{};
  binding.name = name;
  binding.var = var;
  binding.shadows = top;
  binding.level = static_cast<uint32_t>(levels_.size() - 1);
  binding.span = span;
  binding.kind = kind;
  binding.quiet = quiet_ || interner_.text(name).starts_with('_');
  binding.scope = scopes_.back().kind;
  binding.owner = scopes_.back().owner;
  bindings_.push_back(binding);
  top = index;
  return index;
}

// Takes a binding out of the chain of its name before its block ends.
void Resolver::unlink(uint32_t index) {
  Binding& binding = bindings_[index];
  uint32_t& top = visible_[binding.name];
  if (top == index) {
    top = binding.shadows;
    return;
  }
  for (uint32_t at = top; at != kNone; at = bindings_[at].shadows) {
    if (bindings_[at].shadows == index) {
      bindings_[at].shadows = binding.shadows;
      return;
    }
  }
}

void Resolver::end_region(size_t base) {
  while (region_.size() > base) {
    unlink(region_.back());
    const Binding& binding = bindings_[region_.back()];
    if (binding.cause == nullptr) ended_is_.insert(static_cast<uint32_t>(binding.name));
    region_.pop_back();
  }
}

VarId Resolver::read(uint32_t index) {
  Binding& binding = bindings_[index];
  binding.read = true;
  for (size_t i = levels_.size() - 1; i > binding.level; --i) {
    Level& level = levels_[i];
    bool many = level.captures.size() > 16;
    if (many && level.captured.empty()) {
      for (VarId var : level.captures) level.captured.insert(static_cast<uint32_t>(var));
    }
    bool known = many ? level.captured.contains(static_cast<uint32_t>(binding.var))
                      : std::find(level.captures.begin(), level.captures.end(), binding.var) !=
                            level.captures.end();
    if (known) break;  // and so by every level outside it
    level.captures.push_back(binding.var);
    if (many) level.captured.insert(static_cast<uint32_t>(binding.var));
  }
  return binding.var;
}

// ---------------------------------------------------------------------------------------------

std::string Resolver::short_text(Span span) const {
  std::string_view source = file_.source->text(span);
  if (source.size() > 60 || source.find('\n') != std::string_view::npos) return {};
  return std::string(source);
}

void Resolver::warn_unused(const Binding& binding) {
  if (binding.quiet) return;
  if (binding.kind == BindingKind::kLocalFn) {
    report(DiagCode::W0302, binding.span,
           "the local function " + quoted(binding.name) + " is never called");
    return;
  }
  if (binding.shadows != kNone && binding.cause != nullptr) {
    warn_rebinding(binding);
    return;
  }
  report(DiagCode::W0301, binding.span, quoted(binding.name) + " is never read",
         "`_` or `_" + text(binding.name) + "` says that this is on purpose");
}

void Resolver::warn_rebinding(const Binding& binding) {
  report(DiagCode::W0303, binding.span,
         "this binds " + quoted(binding.name) + " anew, and nothing reads it",
         rebinding_hint(binding));
}

// Shows what was probably meant: bindings end with their block, so the block's value has to be
// bound.
std::string Resolver::rebinding_hint(const Binding& binding) const {
  std::string name = text(binding.name);
  std::string value = short_text(as<MatchExpr>(binding.cause)->value->span);
  if (value.empty()) value = "…";
  if (binding.shadows >= bindings_.size()) return {};
  const Binding& outer = bindings_[binding.shadows];
  if (outer.level != binding.level) {
    return "a function has its own variables; return the new value, or fold with `for x in xs "
           "with " +
           name + " = … { … }`";
  }
  const Expr* owner = binding.owner;
  if (binding.scope == ScopeKind::kIf && owner != nullptr && owner->kind == ExprKind::kIf) {
    std::string condition = short_text(as<IfExpr>(owner)->condition->span);
    if (condition.empty()) condition = "…";
    return "a binding ends with its block: `" + name + " = if " + condition + " { " + value +
           " } else { " + name + " }`";
  }
  if (binding.scope == ScopeKind::kFor && owner != nullptr && owner->kind == ExprKind::kFor) {
    std::span<Generator> generators = as<ForExpr>(owner)->generators;
    std::string list = short_text(join(generators.front().span, generators.back().span));
    if (list.empty()) list = "x in xs";
    return "a binding ends with its block: `" + name + " = for " + list + " with " + name + " = " +
           name + " { " + value + " }`";
  }
  if (binding.scope == ScopeKind::kArm) {
    return "a binding ends with its arm: `" + name + " = match … { … -> " + value + " }`";
  }
  bool same_block = binding.shadows >= scopes_.back().base;
  if (same_block) return "drop it, or call it `_" + name + "`";
  return "a binding ends with its block; bind the block's value, or call it `_" + name + "`";
}

// ---------------------------------------------------------------------------------------------

namespace {

// Insertions, deletions, replacements and swaps of neighbours; at least `limit` when there are
// more.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= limit) return limit;
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    size_t smallest = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({row[j - 1] + 1, last[j] + 1, last[j - 1] + cost});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
      smallest = std::min(smallest, row[j]);
    }
    if (smallest >= limit) return limit;
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

void NearMiss::offer(std::string_view candidate) {
  if (candidate.empty() || candidate == wanted_ || wanted_.size() > 64) return;
  // Names are ASCII. What differs in case alone is near, however short it is.
  const auto same_letter = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (std::equal(wanted_.begin(), wanted_.end(), candidate.begin(), candidate.end(), same_letter)) {
    distance_ = 0;
    best_ = candidate;
  }
  size_t limit = wanted_.size() <= 2 ? 1 : wanted_.size() <= 5 ? 2 : 3;
  size_t distance = edit_distance(wanted_, candidate, std::min(limit, distance_));
  if (distance >= limit || distance >= distance_) return;
  distance_ = distance;
  best_ = candidate;
}

}  // namespace quelea::compiler
