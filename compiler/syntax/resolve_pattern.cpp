// Patterns: what they bind, what they read, the rules about them.
#include <algorithm>

#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

void Resolver::bind_pattern(Pattern* p, const Expr* cause, bool in_receive) {
  if (p->kind == PatternKind::kVar && !in_receive) {
    // By far the most common pattern, `name = e`, needs no bookkeeping.
    VarPattern* var = as<VarPattern>(p);
    var->var = new_var(var->name, var->span);
    bindings_[declare(var->name, var->var, var->span)].cause = cause;
    return;
  }
  begin_pattern();
  pattern(p);
  end_pattern(in_receive, cause);
}

void Resolver::begin_pattern() {
  pattern_ = ++next_pattern_;
  pattern_base_ = pattern_names_.size();
}

// Makes what the pattern has bound visible.
void Resolver::end_pattern(bool in_receive, const Expr* cause) {
  for (size_t i = pattern_base_; i < pattern_names_.size(); ++i) {
    const PatternName& bound = pattern_names_[i];
    uint32_t outer = lookup(bound.name);
    bool warns =
        in_receive && outer != kNone && !quiet_ && !interner_.text(bound.name).starts_with('_');
    if (warns) {
      report(DiagCode::W0304, bound.span,
             quoted(bound.name) + " matches any message here; it hides the " + quoted(bound.name) +
                 " of line " + line_of(bindings_[outer].span),
             "did you mean `^" + text(bound.name) + "`? else choose another name");
    }
    uint32_t index = declare(bound.name, bound.var, bound.span);
    bindings_[index].read = bound.read || warns;
    bindings_[index].cause = cause;
  }
  pattern_names_.resize(pattern_base_);
  pattern_ = 0;
}

void Resolver::pattern(Pattern* p) {
  switch (p->kind) {
    case PatternKind::kWildcard:
    case PatternKind::kError:
    case PatternKind::kRange:
      return;
    case PatternKind::kVar:
      var_pattern(as<VarPattern>(p));
      return;
    case PatternKind::kLiteral:
      if (ModuleExpr* module = dyn_as<ModuleExpr>(as<LiteralPattern>(p)->literal)) {
        module->name = expand(module->name);
      }
      return;
    case PatternKind::kPin:
      pinned(as<PinPattern>(p)->value, false);
      return;
    case PatternKind::kTuple:
      for (Pattern* element : as<TuplePattern>(p)->elements) pattern(element);
      return;
    case PatternKind::kList:
      for (Pattern* element : as<ListPattern>(p)->elements) pattern(element);
      if (as<ListPattern>(p)->tail != nullptr) pattern(as<ListPattern>(p)->tail);
      return;
    case PatternKind::kMap:
      map_pattern(as<MapPattern>(p)->fields);
      return;
    case PatternKind::kStruct:
      struct_pattern(as<StructPattern>(p));
      return;
    case PatternKind::kBin:
      bin_pattern(as<BinPattern>(p));
      return;
    case PatternKind::kPrefix:
      pattern(as<PrefixPattern>(p)->rest);
      return;
    case PatternKind::kAs:
      pattern(as<AsPattern>(p)->pattern);
      var_pattern(as<AsPattern>(p)->name);
      return;
    case PatternKind::kAlt:
      alternatives(as<AltPattern>(p));
      return;
    case PatternKind::kDefault:
      // Only where a default is an error that has been reported.
      pattern(as<DefaultPattern>(p)->pattern);
      return;
  }
}

void Resolver::var_pattern(VarPattern* p) {
  PatternSlot& slot = slots_[p->name];
  if (slot.pattern != pattern_) {
    slot = {pattern_, static_cast<uint32_t>(pattern_names_.size() - pattern_base_), true};
    p->var = new_var(p->name, p->span);
    pattern_names_.push_back({p->name, p->var, p->span, false});
    return;
  }
  PatternName& known = pattern_names_[pattern_base_ + slot.index];
  p->var = known.var;
  p->repeat = slot.bound;
  if (slot.bound) known.read = true;
  slot.bound = true;
}

// Every side binds the same names. A name bound before the alternatives recurs in each of them; one
// that a side binds is new again in the next.
void Resolver::alternatives(AltPattern* p) {
  size_t before = pattern_names_.size();
  std::vector<bool> bound_before(before - pattern_base_);
  for (size_t i = 0; i < bound_before.size(); ++i) {
    bound_before[i] = slots_[pattern_names_[pattern_base_ + i].name].bound;
  }
  auto newly_bound = [&] {
    std::vector<uint32_t> names;
    for (size_t i = pattern_base_; i < pattern_names_.size(); ++i) {
      size_t k = i - pattern_base_;
      bool was = k < bound_before.size() && bound_before[k];
      if (!was && slots_[pattern_names_[i].name].bound) names.push_back(static_cast<uint32_t>(k));
    }
    return names;
  };
  std::vector<uint32_t> first;
  for (size_t i = 0; i < p->alternatives.size(); ++i) {
    Pattern* side = p->alternatives[i];
    pattern(side);
    std::vector<uint32_t> names = newly_bound();
    if (i == 0) {
      first = names;
    } else if (names != first) {
      std::vector<uint32_t> differing;
      std::set_symmetric_difference(names.begin(), names.end(), first.begin(), first.end(),
                                    std::back_inserter(differing));
      Symbol name = pattern_names_[pattern_base_ + differing[0]].name;
      bool here = std::binary_search(names.begin(), names.end(), differing[0]);
      report(DiagCode::E0501, side->span,
             quoted(name) + (here ? " is bound here but not by the first alternative"
                                  : " is bound by the first alternative but not here"),
             "all sides of `|` bind the same names");
    }
    if (i + 1 == p->alternatives.size()) break;
    for (uint32_t k : names) slots_[pattern_names_[pattern_base_ + k].name].bound = false;
  }
}

// An expression inside a pattern: pins see what is bound outside, segment sizes also what the
// pattern has bound so far.
void Resolver::pinned(Expr* e, bool sees_pattern) {
  uint32_t outer_pattern = pattern_;
  size_t outer_base = pattern_base_;
  uint32_t count = next_pattern_;
  bool outer_sees = sees_pattern_;
  sees_pattern_ = sees_pattern;
  expr(e);
  sees_pattern_ = outer_sees;
  pattern_ = outer_pattern;
  pattern_base_ = outer_base;
  if (next_pattern_ == count) return;
  // A pattern inside the expression may have used the slots of this one.
  for (size_t i = pattern_base_; i < pattern_names_.size(); ++i) {
    PatternSlot& slot = slots_[pattern_names_[i].name];
    if (slot.pattern != pattern_) {
      slot = {pattern_, static_cast<uint32_t>(i - pattern_base_), true};
    }
  }
}

// ---------------------------------------------------------------------------------------------

// The expression that a pattern of literals and pins alone stands for, or null.
Expr* Resolver::constant_of(Pattern* p) {
  switch (p->kind) {
    case PatternKind::kLiteral:
      return as<LiteralPattern>(p)->literal;
    case PatternKind::kPin:
      return as<PinPattern>(p)->value;
    case PatternKind::kTuple: {
      TupleExpr* e = make<TupleExpr>(p->span);
      e->height = p->height;
      std::vector<Expr*> elements;
      for (Pattern* element : as<TuplePattern>(p)->elements) {
        elements.push_back(constant_of(element));
        if (elements.back() == nullptr) return nullptr;
      }
      e->elements = arena_.copy(elements);
      return e;
    }
    case PatternKind::kList: {
      ListExpr* e = make<ListExpr>(p->span);
      e->height = p->height;
      std::vector<Expr*> elements;
      for (Pattern* element : as<ListPattern>(p)->elements) {
        elements.push_back(constant_of(element));
        if (elements.back() == nullptr) return nullptr;
      }
      if (as<ListPattern>(p)->tail != nullptr) return nullptr;
      e->elements = arena_.copy(elements);
      return e;
    }
    default:
      return nullptr;
  }
}

// A key is a literal or a pin; a tuple or list of those becomes a pin.
void Resolver::map_key(PatternField& field) {
  if (field.key->kind == PatternKind::kLiteral || field.key->kind == PatternKind::kPin) {
    pattern(field.key);
    return;
  }
  if (field.key->kind == PatternKind::kError) return;
  Expr* value = constant_of(field.key);
  if (value == nullptr) {
    std::string shown = short_text(field.key->span);
    std::string hint = "to look a variable's value up, pin it: `%{^key => value}`";
    if (field.key->kind == PatternKind::kVar) {
      hint = "the key named by the variable is `^" + shown + " => …`, the atom `" + shown + ": …`";
    }
    report(DiagCode::E0502, field.key->span, "a key in a pattern is a literal or a pin", hint);
    return;
  }
  PinPattern* pin = make<PinPattern>(field.key->span);
  pin->height = static_cast<uint16_t>(value->height + 1);
  pin->value = value;
  field.key = pin;
  pinned(value, false);
}

void Resolver::map_pattern(std::span<PatternField> fields) {
  for (PatternField& field : fields) {
    map_key(field);
    pattern(field.value);
  }
}

void Resolver::struct_pattern(StructPattern* p) {
  p->name = expand(p->name);
  check_struct_fields(p->name, p->name_span, &p->def);
  for (PatternField& field : p->fields) {
    const AtomExpr* key = nullptr;
    if (LiteralPattern* literal = dyn_as<LiteralPattern>(field.key)) {
      key = dyn_as<const AtomExpr>(static_cast<const Expr*>(literal->literal));
    }
    if (key != nullptr) {
      check_field(p->name, p->def, key->name, field.key->span);
    } else if (field.key->kind != PatternKind::kError) {
      report(DiagCode::E0502, field.key->span, "a struct's fields are named by labels",
             "it is `%Name{field: pattern}`");
      continue;
    }
    pattern(field.value);
  }
}

// Finds the struct: of this file (then *def is set) or known to the provider.
void Resolver::check_struct_fields(Symbol name, Span span, StructDef** def) {
  if (const ModuleScope* scope = find_module(name)) {
    *def = scope->module->structure;
    if (*def == nullptr) {
      report(DiagCode::E0409, span, "the module " + quoted(name) + " has no struct",
             "`struct name: Type = default, …` in the module declares one");
    }
    return;
  }
  if (provider_ == nullptr) return;
  const ModuleInfo* info = module_info(name);
  if (info == nullptr) {
    warn_unknown_module(name, span);
  } else if (!info->has_struct) {
    report(DiagCode::E0409, span, "the module " + quoted(name) + " has no struct");
  }
}

void Resolver::check_field(Symbol struct_name, StructDef* def, Symbol field, Span span) {
  if (field == words::kStructKey) return;
  NearMiss near(interner_.text(field));
  std::string all;
  auto offer = [&](std::string_view candidate) {
    near.offer(candidate);
    if (all.size() < 200) all += (all.empty() ? "" : ", ") + std::string(candidate);
    return candidate == interner_.text(field);
  };
  if (def != nullptr) {
    for (const StructField& each : def->fields) {
      if (offer(interner_.text(each.name))) return;
    }
  } else {
    const ModuleInfo* info =
        find_module(struct_name) != nullptr ? nullptr : module_info(struct_name);
    if (info == nullptr || !info->has_struct) return;
    for (const std::string& each : info->struct_fields) {
      if (offer(each)) return;
    }
  }
  std::string hint = near.found() ? "did you mean `" + near.best() + "`?"
                                  : "its fields are: " + (all.empty() ? "none" : all);
  report(DiagCode::E0408, span, "`%" + text(struct_name) + "{}` has no field " + quoted(field),
         hint);
}

// ---------------------------------------------------------------------------------------------

void Resolver::bin_pattern(BinPattern* p) {
  for (size_t i = 0; i < p->segments.size(); ++i) {
    Segment& segment = p->segments[i];
    // The size may not use the name that its own segment binds.
    if (segment.size != nullptr) pinned(segment.size, true);
    switch (segment.pattern->kind) {
      case PatternKind::kVar:
      case PatternKind::kWildcard:
      case PatternKind::kLiteral:
      case PatternKind::kPin:
      case PatternKind::kError:
        pattern(segment.pattern);
        break;
      default:
        report(DiagCode::E0506, segment.pattern->span,
               "a segment's value is a name, a number, a string, `_` or a pin",
               "match the parts of the binary with segments of this binary");
        break;
    }
    check_segment(segment, i + 1 == p->segments.size(), true);
  }
}

void Resolver::check_segment(const Segment& segment, bool last, bool is_pattern) {
  bool takes_rest = segment.size == nullptr && !segment.string_literal &&
                    (segment.type == SegmentType::kBytes || segment.type == SegmentType::kBits);
  const Expr* literal = segment.value;
  if (is_pattern && segment.pattern->kind == PatternKind::kLiteral) {
    literal = as<LiteralPattern>(segment.pattern)->literal;
  }
  bool is_text = literal != nullptr && literal->kind == ExprKind::kString;
  if (is_pattern && takes_rest && !last && !is_text) {
    report(DiagCode::E0504, segment.span, "bytes without a size take the rest, so they come last",
           "give them a size: `data:n/bytes`");
  }
  bool utf = segment.type == SegmentType::kUtf8 || segment.type == SegmentType::kUtf16 ||
             segment.type == SegmentType::kUtf32;
  if (utf && segment.size != nullptr) {
    report(DiagCode::E0505, segment.size->span, "a UTF segment is one code point and has no size");
  }
  const IntExpr* size = segment.size == nullptr
                            ? nullptr
                            : dyn_as<const IntExpr>(static_cast<const Expr*>(segment.size));
  if (segment.type == SegmentType::kFloat && size != nullptr) {
    int64_t bits = size->small && size->value <= 64 ? size->value * segment.unit : -1;
    if (bits != 16 && bits != 32 && bits != 64) {
      report(DiagCode::E0505, segment.size->span, "a float has 16, 32 or 64 bits");
    }
  }
  if (is_text && segment.type_given &&
      (segment.type == SegmentType::kInt || segment.type == SegmentType::kFloat)) {
    report(DiagCode::E0505, segment.span, "a string is no number",
           "a string literal is a segment as it stands; other strings want `/bytes`");
  }
}

}  // namespace quelea::compiler
