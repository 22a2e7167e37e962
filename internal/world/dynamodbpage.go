package world

import (
	"hash/fnv"
	"maps"
	"slices"
)

// listing is what a query or a scan goes through, in its order.
type listing struct {
	items []attributes
	key   Key      // that a query may use
	names []string // of the attributes that tell where in the listing an item is: the key of a page's start
}

// listing is the table or its index. An index has the keys of items only, as they were a while ago, and is never read
// consistently (developer guide, "Using Global Secondary Indexes").
func (t *table) listing(index *string, consistent bool, v view) (*listing, error) {
	l := &listing{key: t.Key, names: []string{t.Key.Partition, t.Key.Sort}}
	switch {
	case index == nil:
		for _, r := range t.rows {
			if it := v.of(r, consistent); it != nil {
				l.items = append(l.items, it)
			}
		}
	case *index != t.Index:
		return nil, malformed("The table does not have the specified index: %s", *index)
	case consistent:
		return nil, malformed("Consistent reads are not supported on global secondary indexes")
	default:
		l.key, l.names = t.IndexKey, append([]string{t.IndexKey.Partition, t.IndexKey.Sort}, l.names...)
		for _, r := range t.rows {
			if it := v.of(r, false); it[t.IndexKey.Partition] != nil && it[t.IndexKey.Sort] != nil {
				l.items = append(l.items, some(it, l.names))
			}
		}
	}
	slices.SortFunc(l.items, func(a, b attributes) int { return slices.Compare(l.position(a), l.position(b)) })
	return l, nil
}

// some is a part of an item.
func some(it attributes, names []string) attributes {
	part := attributes{}
	for _, n := range names {
		if v, ok := it[n]; ok {
			part[n] = v
		}
	}
	return part
}

// position orders a listing: partitions in the order of a hash, which is none, and in a partition by the sort key.
func (l *listing) position(it attributes) []string {
	texts := make([]string, 0, len(l.names)+1)
	for _, n := range l.names {
		s, _ := textOf(it, n)
		texts = append(texts, s)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(texts[0]))
	return append([]string{string(h.Sum(nil))}, texts...)
}

// page is what comes after a key, and the key of its last item. A page that was filled has one even where nothing follows
// (API reference, "Query": LastEvaluatedKey).
func (l *listing) page(after attributes, most int) (items []attributes, last attributes) {
	size := 0
	for _, it := range l.items {
		if len(after) > 0 && slices.Compare(l.position(it), l.position(after)) <= 0 {
			continue
		}
		n, _ := itemSize(it)
		size += n
		items = append(items, maps.Clone(it))
		if len(items) >= most || size >= largestPage {
			return items, some(it, l.names)
		}
	}
	return items, nil
}
