package schema

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Clone returns a copy of v, a value of the schema's struct type, that shares
// no list, map or pointer with it in any field of the schema. Fields outside
// the schema (json:"-") are copied as they are.
func Clone[P any](s *Schema, v P) P {
	dst := reflect.ValueOf(&v).Elem()
	if dst.Type() == s.typ {
		cloneFields(dst, s.shape)
	}
	return v
}

func cloneFields(v reflect.Value, sh *shape) {
	for _, f := range sh.fields {
		if x := ownField(v, f.index); x.IsValid() {
			x.Set(deepCopy(x, 0))
		}
	}
}

// ownField is the field of v at index, the embedded pointers on the way to it
// replaced by copies; the zero Value behind a nil one.
func ownField(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}
			}
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			v.Set(own)
			v = own.Elem()
		}
		v = v.Field(x)
	}
	return v
}

// maxCopyDepth ends the copying of values that contain themselves; only types
// with a JSONSchema method can.
const maxCopyDepth = 32

func deepCopy(v reflect.Value, depth int) reflect.Value {
	if depth > maxCopyDepth {
		return v
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(deepCopy(v.Elem(), depth+1))
			out.Set(p)
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(deepCopy(v.Index(i), depth+1))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(deepCopy(v.Index(i), depth+1))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for it := v.MapRange(); it.Next(); {
				out.SetMapIndex(it.Key(), deepCopy(it.Value(), depth+1))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(deepCopy(v.Field(i), depth+1))
			}
		}
	}
	return out
}

// prepare clears what tree has a value for: the elements of a list would shine
// through those decoded over them. Structs are kept, to be decoded field by field.
func prepare(v reflect.Value, tree map[string]any, sh *shape) {
	for _, f := range sh.fields {
		x, ok := tree[f.name]
		if !ok {
			continue
		}
		dst := fieldByIndex(v, f.index)
		if !dst.IsValid() {
			continue
		}
		if sub, isObject := x.(map[string]any); isObject && f.shape.kind == shapeObject {
			if inner := pointee(dst); inner.IsValid() {
				prepare(inner, sub, f.shape)
			}
			continue
		}
		dst.SetZero()
	}
}

// merge is tree with the defaults of def filled in, in the schema's order. A
// struct that tree leaves out stays out: its fields are defaults for when it is
// given. With every set, they are merged all the same.
func merge(tree map[string]any, sh *shape, p *plan, def reflect.Value, every bool) object {
	out := object{}
	for _, f := range sh.fields {
		var fdef reflect.Value
		if def.IsValid() {
			fdef = fieldByIndex(def, f.index)
		}
		x, ok := tree[f.name]
		sub, isObject := x.(map[string]any)
		switch {
		case ok && isObject && f.shape.kind == shapeObject:
			out = append(out, member{f.name, merge(sub, f.shape, p.props[f.name], pointee(fdef), every)})
		case ok:
			out = append(out, member{f.name, ordered(x, p.props[f.name])})
		case f.shape.kind == shapeObject && fdef.IsValid() && fdef.Kind() == reflect.Struct:
			if every && !fdef.IsZero() {
				out = append(out, member{f.name, merge(nil, f.shape, p.props[f.name], fdef, every)})
			}
		default:
			if text := wholeDefault(fdef); text != nil {
				out = append(out, member{f.name, text})
			}
		}
	}
	return out
}

// wholeDefault is the JSON of a default, nil when there is none.
func wholeDefault(v reflect.Value) json.RawMessage {
	inner := pointee(v)
	if !v.IsValid() || v.IsZero() || !inner.IsValid() || inner.Kind() == reflect.Slice && inner.Len() == 0 {
		return nil
	}
	b, err := marshal(inner.Interface())
	if err != nil {
		return nil // refused at registration
	}
	return b
}

// ordered gives the members of objects the schema's order.
func ordered(v any, p *plan) any {
	switch v := v.(type) {
	case []any:
		out := make(list, len(v))
		for i, x := range v {
			var items *plan
			if p != nil {
				items = p.items
			}
			out[i] = ordered(x, items)
		}
		return out
	case map[string]any:
		out := object{}
		names := slices.Sorted(maps.Keys(v))
		if p != nil && len(p.order) > 0 {
			names = p.order
		}
		for _, name := range names {
			if x, ok := v[name]; ok {
				var sub *plan
				if p != nil {
					sub = p.props[name]
				}
				out = append(out, member{name, ordered(x, sub)})
			}
		}
		return out
	default:
		return v
	}
}

// checkDefaults reports defaults that the schema itself refuses. What is
// missing is no problem: only the fields with a default are looked at.
func (s *Schema) checkDefaults(def reflect.Value) []Problem {
	v, err := parse(appendJSON(nil, merge(nil, s.shape, s.plan, def, true)))
	if err != nil {
		return []Problem{{Path: typeName(s.typ), Reason: "its defaults are not usable: " + err.Error(), Hint: "correct them"}}
	}
	tree := v.(map[string]any) // merge makes an object
	dropNulls(tree, s.plan)
	wholeNumbers(tree, s.shape)
	var out []Problem
	for _, p := range s.validate(tree) {
		if p.text == isRequired {
			continue
		}
		out = append(out, Problem{Path: typeName(s.typ) + "." + p.path, Reason: "its default " + p.text, Hint: "correct the default"})
	}
	return out
}
