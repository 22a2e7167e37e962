package laws_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/world"
)

// release is a version of vpc-cni as the laws read it: major, minor, patch and EKS build. The product reads versions by
// itself; the laws must not believe it.
type release [4]int

// read reads a version as EKS writes it; false: it is none that can be compared.
func read(version string) (release, bool) {
	var r release
	if n, _ := fmt.Sscanf(version, "v%d.%d.%d-eksbuild.%d", &r[0], &r[1], &r[2], &r[3]); n == 4 && r.String() == version {
		return r, true
	}
	r = release{}
	_, _ = fmt.Sscanf(version, "v%d.%d.%d", &r[0], &r[1], &r[2])
	return r, fmt.Sprintf("v%d.%d.%d", r[0], r[1], r[2]) == version
}

func (r release) String() string { return fmt.Sprintf("v%d.%d.%d-eksbuild.%d", r[0], r[1], r[2], r[3]) }

func (r release) below(o release) bool { return slices.Compare(r[:], o[:]) < 0 }

// short reports whether a release is below a floor, for which builds do not count.
func (r release) short(floor release) bool { return slices.Compare(r[:3], floor[:3]) < 0 }

// bad are the releases that no update may lead to: facts-eks-vpc-cni 7.3, each broken by the issue that its release notes name.
func (r release) bad() bool {
	return slices.Contains([]string{"1.5.4", "1.7.0", "1.10.0", "1.13.0", "1.13.1", "1.13.2", "1.14.0", "1.16.3", "1.22.0", "1.22.1"},
		fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]))
}

// catalogues are the listings that people saw: facts-eks-vpc-cni 2.5. What has a minus was listed and could not be installed,
// a star is the default.
func catalogues() map[string][]world.Catalogue {
	listed := map[string]string{
		"1.21": "1.9.0-1 1.8.0-1 1.7.10-1 1.7.9-2 1.7.6-2 *1.7.5-2 1.6.3-2",
		"1.24": "1.12.0-1 1.11.4-1 1.11.3-1 1.10.4-1 1.10.1-1 1.10.0-1 1.9.3-1 *1.9.0-1 1.8.0-2 -1.7.10-1 -1.7.5-2",
		"1.29": "1.18.0-1 1.17.1-1 1.16.4-2 1.16.3-2 1.16.2-1 *1.16.0-1 1.15.5-1 1.14.1-1 1.13.4-1 -1.15.3-1 -1.14.0-3 -1.13.2-1 -1.12.6-2 -1.11.5-1 -1.8.0-3 -1.7.10-2 -1.7.5-3",
		"1.33": "1.22.3-1 *1.22.2-1 1.22.1-2 1.21.2-2 1.21.1-8 1.20.4-1 1.19.0-1",
	}
	all := map[string][]world.Catalogue{}
	for kubernetes, text := range listed {
		for _, word := range strings.Fields(text) {
			bare := strings.TrimLeft(word, "-*")
			version, build, _ := strings.Cut(bare, "-")
			all[kubernetes] = append(all[kubernetes], world.Catalogue{
				Version: "v" + version + "-eksbuild." + build, Default: word[0] == '*', Compatible: word[0] != '-',
			})
		}
	}
	return all
}

// installed are versions that clusters of a Kubernetes version are found with: outdated, fine, known bad, and such that
// cannot be compared or are listed nowhere.
func installed(kubernetes string) []string {
	return map[string][]string{
		"1.21": {"v1.6.3-eksbuild.2", "v1.7.5-eksbuild.2", "v1.7.5-eksbuild.2", "v1.7.10-eksbuild.1", "v1.8.0-eksbuild.1", "v1.7.0-eksbuild.1"},
		"1.24": {"v1.7.5-eksbuild.2", "v1.7.10-eksbuild.1", "v1.8.0-eksbuild.2", "v1.9.3-eksbuild.1", "v1.10.0-eksbuild.1", "v1.12.0-eksbuild.1"},
		"1.29": {"v1.7.5-eksbuild.3", "v1.13.2-eksbuild.1", "v1.14.1-eksbuild.1", "v1.16.3-eksbuild.2", "v1.16.0-eksbuild.1", "v1.18.0-eksbuild.1", "v1.15.1-eksbuild.1"},
		"1.33": {"v1.19.0-eksbuild.1", "v1.20.4-eksbuild.2", "v1.22.1-eksbuild.2", "v1.22.3-eksbuild.1", "latest", "v1.19.0-corp"},
	}[kubernetes]
}

// compatible are the releases that EKS would install on a Kubernetes version.
func compatible(list []world.Catalogue) []release {
	var all []release
	for _, c := range list {
		if r, ok := read(c.Version); ok && c.Compatible {
			all = append(all, r)
		}
	}
	return all
}
