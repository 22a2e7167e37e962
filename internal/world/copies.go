package world

import (
	"slices"
	"strconv"
)

// copied is the spec with every copy of a cluster and of an instance in the place of what is copied: a file writes long lists short.
func (s Spec) copied() Spec {
	s.Clusters = copies(s.Clusters, func(c *Cluster) *int { return &c.Copies }, (*Cluster).number)
	long := func(c Cluster) bool {
		return slices.ContainsFunc(c.Instances, func(i Instance) bool { return i.Copies > 0 })
	}
	if !slices.ContainsFunc(s.Clusters, long) {
		return s
	}
	s.Clusters = slices.Clone(s.Clusters)
	for i := range s.Clusters {
		c := &s.Clusters[i]
		c.Instances = copies(c.Instances, func(i *Instance) *int { return &i.Copies }, (*Instance).number)
	}
	return s
}

// number makes a cluster its copy, and its instances those of the copy: their ids are unique in AWS.
func (c *Cluster) number(i int) {
	c.Name = copyOf(c.Name, i)
	c.Instances = slices.Clone(c.Instances)
	for j := range c.Instances {
		c.Instances[j].number(i)
	}
}

// number makes an instance its copy.
func (i *Instance) number(n int) { i.ID = copyOf(i.ID, n) }

// copies are things with those that have copies replaced by them, each numbered.
func copies[T any](of []T, many func(*T) *int, number func(*T, int)) []T {
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
			number(&next, i)
			all = append(all, next)
		}
	}
	return all
}

// copyOf is the name of a copy.
func copyOf(name string, i int) string { return name + "-" + strconv.Itoa(i+1) }
