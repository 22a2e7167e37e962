package world

import (
	"slices"
	"strconv"
)

// copied is the spec with every copy of a cluster and of an instance in the place of what is copied: a file writes long lists short.
func (s Spec) copied() Spec {
	s.Clusters = copies(s.Clusters, func(c *Cluster) *int { return &c.Copies }, func(c *Cluster) *string { return &c.Name })
	long := func(c Cluster) bool {
		return slices.ContainsFunc(c.Instances, func(i Instance) bool { return i.Copies > 0 })
	}
	if !slices.ContainsFunc(s.Clusters, long) {
		return s
	}
	s.Clusters = slices.Clone(s.Clusters)
	for i := range s.Clusters {
		c := &s.Clusters[i]
		c.Instances = copies(c.Instances, func(i *Instance) *int { return &i.Copies }, func(i *Instance) *string { return &i.ID })
	}
	return s
}

// copies are things with those that have copies replaced by them.
func copies[T any](of []T, many func(*T) *int, name func(*T) *string) []T {
	if !slices.ContainsFunc(of, func(one T) bool { return *many(&one) > 0 }) {
		return of
	}
	var all []T
	for _, one := range of {
		n := *many(&one)
		if n == 0 {
			all = append(all, one)
		}
		*many(&one) = 0
		for i := range n {
			next := one
			*name(&next) = copyOf(*name(&one), i)
			all = append(all, next)
		}
	}
	return all
}

// copyOf is the name of a copy.
func copyOf(name string, i int) string { return name + "-" + strconv.Itoa(i+1) }
