package remedy

import "github.com/cniguard/cniguard/internal/cni"

// charts are the versions of the chart eks/aws-vpc-cni before they became those of the VPC CNI, and the release that each is of, in order
// (history of aws/eks-charts; facts-eks-vpc-cni.md, 6.3; for 1.2.6 and 1.2.7 aws/eks-charts #1104).
var charts = []struct{ version, release string }{
	{"1.1.0", "v1.7.3"}, {"1.1.5", "v1.7.5"}, {"1.1.6", "v1.7.10"}, {"1.1.7", "v1.8.0"}, {"1.1.8", "v1.9.0"}, {"1.1.12", "v1.10.1"}, {"1.1.14", "v1.10.2"},
	{"1.1.17", "v1.11.2"}, {"1.2.0", "v1.12.0"}, {"1.2.6", "v1.12.2"}, {"1.2.7", "v1.12.5"}, {"1.2.8", "v1.12.6"},
}

// sameNumber is from which release on the chart has its number. Chart 1.3.0, of v1.18.1, is the exception, and there is a 1.18.1 too (#3268 of
// amazon-vpc-cni-k8s).
var sameNumber = cni.Version{Major: 1, Minor: 13}

// chart is the version of the chart for a release, and the release that it is of: another where none is known of this one. Then it is the
// last of the same minor version that is not above it, or the first of that minor version; empty: none is near.
func chart(v cni.Version) (version string, of cni.Version) {
	v.Build, v.Pre = 0, ""
	if v.Satisfies(sameNumber) {
		return tag(v)[1:], v
	}
	for _, c := range charts {
		r := cni.Parse(c.release)
		if r.Minor == v.Minor && r.Major == v.Major && (version == "" || v.Satisfies(r)) {
			version, of = c.version, r
		}
	}
	return version, of
}
