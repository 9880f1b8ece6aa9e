// Patterns of the tree to patterns without sugar.
#include "compiler/core/match.h"
#include "vm/code/segments.h"

namespace quelea::compiler {

Pat* PatternCompiler::make(PatKind kind) {
  Pat* pat = l_.context_.arena.make<Pat>();
  pat->kind = kind;
  return pat;
}

Pat* PatternCompiler::constant(ConstId id) {
  Pat* pat = make(PatKind::kConst);
  pat->low = id;
  return pat;
}

Pat* PatternCompiler::convert_pin(const Expr* value) {
  Ref ref = l_.expr(value);
  if (is_const(ref)) return constant(const_id(ref));
  Pat* pat = make(PatKind::kEqual);
  pat->ref = ref;
  return pat;
}

Pat* PatternCompiler::convert_list(const ListPattern* pattern) {
  Pat* list = pattern->tail == nullptr ? constant(l_.consts_.empty_list()) : convert(pattern->tail);
  std::vector<Pat*> elements;
  for (const Pattern* element : pattern->elements) elements.push_back(convert(element));
  // A long list of constants is compared as a whole.
  constexpr size_t kLong = 16;
  bool all_const = elements.size() > kLong && pattern->tail == nullptr;
  for (size_t i = 0; all_const && i < elements.size(); ++i)
    all_const = elements[i] != nullptr && elements[i]->kind == PatKind::kConst;
  if (all_const) {
    std::vector<ConstId> ids;
    for (const Pat* element : elements) ids.push_back(element->low);
    return constant(l_.consts_.list(ids, l_.consts_.empty_list()));
  }
  for (size_t i = elements.size(); i-- > 0;) {
    Pat* cons = make(PatKind::kCons);
    cons->parts = l_.context_.arena.array<Pat*>(2);
    cons->parts[0] = elements[i];
    cons->parts[1] = list;
    list = cons;
  }
  return list;
}

// A key of a map pattern as a value: literals and pins, and tuples and lists of those.
Ref PatternCompiler::key_value(const Pat* key) {
  if (key->kind == PatKind::kEqual) return key->ref;
  if (key->kind == PatKind::kConst) return const_ref(key->low);
  std::vector<Ref> parts;
  if (key->kind == PatKind::kTuple) {
    for (const Pat* part : key->parts) parts.push_back(key_value(part));
    return l_.make_tuple(parts);
  }
  for (; key->kind == PatKind::kCons; key = key->parts[1])
    parts.push_back(key_value(key->parts[0]));
  return l_.make_list(parts, key_value(key));
}

PatField PatternCompiler::convert_field(const PatternField& field) {
  return {key_value(convert(field.key)), convert(field.value)};
}

Pat* PatternCompiler::convert_map(std::span<const PatternField> fields, Pat* first,
                                  Symbol struct_name) {
  size_t extra = struct_name != Symbol::kNone ? 1 : 0;
  std::span<PatField> out = l_.context_.arena.array<PatField>(fields.size() + extra);
  if (extra != 0) out[0] = {l_.atom("__struct__"), first};
  for (size_t i = 0; i < fields.size(); ++i) out[i + extra] = convert_field(fields[i]);
  Pat* pat = make(PatKind::kMap);
  pat->fields = out;
  return pat;
}

Pat* PatternCompiler::convert_prefix(const PrefixPattern* pattern) {
  std::span<PatSegment> segments = l_.context_.arena.array<PatSegment>(2);
  segments[0] = {.op = op_bs_literal, .literal = l_.consts_.string(pattern->prefix)};
  segments[1] = {.op = op_bs_rest, .unit = 8, .value = convert(pattern->rest)};
  Pat* pat = make(PatKind::kBin);
  pat->segments = pattern->prefix.empty() ? segments.subspan(1) : segments;
  return pat;
}

namespace {

uint32_t segment_flags(const Segment& segment, quelea::SegmentType type) {
  uint32_t flags = static_cast<uint32_t>(type);
  if (segment.is_signed) flags |= kSegmentSigned;
  bool little = segment.endian == Endian::kLittle ||
                (segment.endian == Endian::kNative && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  if (little) flags |= kSegmentLittle;
  return flags;
}

}  // namespace

std::span<PatSegment> PatternCompiler::convert_segments(std::span<const Segment> segments) {
  std::span<PatSegment> out = l_.context_.arena.array<PatSegment>(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& from = segments[i];
    PatSegment to{.op = op_bs_int};
    to.unit = from.unit;
    if (from.string_literal) {
      const StringExpr* text = as<StringExpr>(as<LiteralPattern>(from.pattern)->literal);
      out[i] = {.op = op_bs_literal, .literal = l_.consts_.string(text->text)};
      continue;
    }
    switch (from.type) {
      case SegmentType::kInt:
        to.flags = segment_flags(from, quelea::SegmentType::Int);
        break;
      case SegmentType::kFloat:
        to.op = op_bs_float;
        to.flags = segment_flags(from, quelea::SegmentType::Float);
        break;
      case SegmentType::kBytes:
      case SegmentType::kBits:
        to.op = from.size == nullptr ? op_bs_rest : op_bs_bits;
        break;
      default:
        to.op = op_bs_utf;
        to.flags =
            segment_flags(from, from.type == SegmentType::kUtf8    ? quelea::SegmentType::Utf8
                                : from.type == SegmentType::kUtf16 ? quelea::SegmentType::Utf16
                                                                   : quelea::SegmentType::Utf32);
    }
    if (from.size != nullptr) {
      const IntExpr* literal = dyn_as<const IntExpr>(from.size);
      const NameExpr* name = dyn_as<const NameExpr>(from.size);
      if (literal != nullptr) {
        to.size_const = l_.consts_.literal(*literal, false);
      } else if (name != nullptr && name->constant != nullptr && is_const(l_.lower_name(name))) {
        to.size_const = const_id(l_.lower_name(name));
      } else {
        to.size = from.size;
      }
    } else if (to.op == op_bs_int || to.op == op_bs_float) {
      to.size_const = l_.consts_.integer(to.op == op_bs_int ? 8 : 64);
    }
    to.value = convert(from.pattern);
    out[i] = to;
  }
  return out;
}

Pat* PatternCompiler::convert(const Pattern* pattern) {
  switch (pattern->kind) {
    case PatternKind::kVar: {
      const VarPattern* name = as<VarPattern>(pattern);
      Pat* pat = make(PatKind::kVar);
      pat->var = name->var;
      pat->repeat = name->repeat;
      // Until a row binds it: code behind a pattern that cannot match is still lowered.
      if (!name->repeat) l_.env_[static_cast<uint32_t>(name->var)] = l_.nil();
      return pat;
    }
    case PatternKind::kLiteral: {
      const Expr* literal = as<LiteralPattern>(pattern)->literal;
      if (const IntExpr* number = dyn_as<const IntExpr>(literal))
        return constant(l_.consts_.literal(*number, false));
      return constant(const_id(l_.expr(literal)));
    }
    case PatternKind::kPin:
      return convert_pin(as<PinPattern>(pattern)->value);
    case PatternKind::kTuple: {
      std::span<Pattern* const> elements = as<TuplePattern>(pattern)->elements;
      Pat* pat = make(PatKind::kTuple);
      pat->parts = l_.context_.arena.array<Pat*>(elements.size());
      for (size_t i = 0; i < elements.size(); ++i) pat->parts[i] = convert(elements[i]);
      return pat;
    }
    case PatternKind::kList:
      return convert_list(as<ListPattern>(pattern));
    case PatternKind::kMap:
      return convert_map(as<MapPattern>(pattern)->fields, nullptr, Symbol::kNone);
    case PatternKind::kStruct: {
      const StructPattern* structure = as<StructPattern>(pattern);
      Pat* name = constant(l_.consts_.atom(structure->name));
      return convert_map(structure->fields, name, structure->name);
    }
    case PatternKind::kBin: {
      Pat* pat = make(PatKind::kBin);
      pat->segments = convert_segments(as<BinPattern>(pattern)->segments);
      return pat;
    }
    case PatternKind::kPrefix:
      return convert_prefix(as<PrefixPattern>(pattern));
    case PatternKind::kRange: {
      const RangePattern* range = as<RangePattern>(pattern);
      Pat* pat = make(PatKind::kRange);
      pat->low = l_.consts_.literal(*range->low, false);
      pat->high = l_.consts_.literal(*range->high, false);
      return pat;
    }
    case PatternKind::kAs: {
      const AsPattern* named = as<AsPattern>(pattern);
      Pat* pat = make(PatKind::kAs);
      pat->var = named->name->var;
      l_.env_[static_cast<uint32_t>(pat->var)] = l_.nil();
      pat->parts = l_.context_.arena.array<Pat*>(1);
      pat->parts[0] = convert(named->pattern);
      return pat;
    }
    case PatternKind::kAlt: {
      std::span<Pattern* const> alternatives = as<AltPattern>(pattern)->alternatives;
      Pat* pat = make(PatKind::kAlt);
      pat->parts = l_.context_.arena.array<Pat*>(alternatives.size());
      for (size_t i = 0; i < alternatives.size(); ++i) pat->parts[i] = convert(alternatives[i]);
      return pat;
    }
    case PatternKind::kDefault:
      return convert(as<DefaultPattern>(pattern)->pattern);
    default:
      return nullptr;
  }
}

}  // namespace quelea::compiler
