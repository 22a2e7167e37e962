package kubernetes_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// differences are what an aws-node lacks of that of a manifest, a line each: containers, their images, privileges and variables, and volumes.
func differences(t *testing.T, got, want appsv1.DaemonSet) (lines []string) {
	t.Helper()
	g, w := &got.Spec.Template.Spec, &want.Spec.Template.Spec
	both := func(g, w []corev1.Container, where string) {
		for _, c := range w {
			i := slices.IndexFunc(g, func(o corev1.Container) bool { return o.Name == c.Name })
			if i < 0 {
				lines = append(lines, where+" "+c.Name)
				continue
			}
			lines = append(lines, variables(c.Name, g[i].Env, c.Env)...)
			if g[i].Image != c.Image {
				lines = append(lines, c.Name+" image")
			}
			if !cmp.Equal(g[i].SecurityContext, c.SecurityContext) {
				lines = append(lines, c.Name+" privileges")
			}
		}
		if len(g) > len(w) {
			lines = append(lines, where+" too many")
		}
	}
	for _, v := range w.Volumes {
		if !slices.ContainsFunc(g.Volumes, func(o corev1.Volume) bool { return o.Name == v.Name }) {
			lines = append(lines, "volume "+v.Name)
		}
	}
	both(g.InitContainers, w.InitContainers, "init container")
	both(g.Containers, w.Containers, "container")
	slices.Sort(lines)
	return lines
}

func variables(container string, got, want []corev1.EnvVar) (lines []string) {
	index := func(all []corev1.EnvVar) map[string]string {
		by := map[string]string{}
		for _, e := range all {
			by[e.Name] = fmt.Sprint(e.Value, e.ValueFrom != nil)
		}
		return by
	}
	g, w := index(got), index(want)
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if g[name] != w[name] {
			lines = append(lines, container+" variable "+name)
		}
	}
	return lines
}
