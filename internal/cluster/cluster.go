// Package cluster holds the identity of an EKS cluster, its ARN, and what differs between AWS partitions.
package cluster

import (
	"cmp"
	"fmt"
	"strings"
)

// ID names one EKS cluster in the world. The zero ID names none.
type ID struct {
	Account string `json:"account"` // twelve digits
	Region  string `json:"region"`  // as "eu-central-1"
	Name    string `json:"name"`    // as EKS knows it; 1 to 100 characters
}

// ARN is the cluster's Amazon Resource Name, as "arn:aws:eks:eu-central-1:111122223333:cluster/prod".
func (id ID) ARN() string {
	return "arn:" + PartitionOf(id.Region).Name + ":eks:" + id.Region + ":" + id.Account + ":cluster/" + id.Name
}

// String reads "111122223333/eu-central-1/prod".
func (id ID) String() string { return id.Account + "/" + id.Region + "/" + id.Name }

// ConsoleURL is the cluster's page in the AWS console of its partition.
func (id ID) ConsoleURL() string {
	return "https://" + id.Region + "." + PartitionOf(id.Region).Console + "/eks/clusters/" + id.Name + "?region=" + id.Region
}

// Compare orders by account, region and name.
func Compare(a, b ID) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
}

// ParseARN reads a cluster ARN, or the ARN of something inside a cluster (add-on, node group), and returns the cluster.
// The partition and the region of an ARN must agree.
func ParseARN(arn string) (ID, error) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "eks" {
		return ID{}, fmt.Errorf("read EKS ARN %q: want arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME", arn)
	}
	kind, rest, _ := strings.Cut(p[5], "/")
	name, _, _ := strings.Cut(rest, "/")
	id := ID{Account: p[4], Region: p[3], Name: name}
	switch {
	case kind != "cluster" && kind != "addon" && kind != "nodegroup" && kind != "fargateprofile":
		return ID{}, fmt.Errorf("read EKS ARN %q: a %q is not in a cluster", arn, kind)
	case !IsName(name) || !IsAccount(id.Account) || !IsRegion(id.Region):
		return ID{}, fmt.Errorf("read EKS ARN %q: region, account (twelve digits) and name are needed", arn)
	case PartitionOf(id.Region).Name != p[1]:
		return ID{}, fmt.Errorf("read EKS ARN %q: region %s is not in partition %s", arn, id.Region, p[1])
	}
	return id, nil
}

// IsAccount reports whether s is an AWS account id: twelve digits.
func IsAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// IsRegion reports whether s has the form of a region name, as "us-gov-west-1". It does not ask whether AWS has such a region.
func IsRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(parts) > 4 {
		return false
	}
	for i, p := range parts {
		digits := strings.Trim(p, "0123456789") == ""
		letters := strings.Trim(p, "abcdefghijklmnopqrstuvwxyz") == ""
		if p == "" || (i == len(parts)-1) != digits || (i < len(parts)-1) != letters {
			return false
		}
	}
	return true
}

// IsName reports whether s is a name that EKS gives a cluster: 1 to 100 letters, digits, hyphens and underscores,
// starting with a letter or a digit (EKS API reference, CreateCluster).
func IsName(s string) bool {
	if s == "" || len(s) > 100 || s[0] == '-' || s[0] == '_' {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// Partition is what differs between AWS's partitions.
type Partition struct {
	Name    string // as "aws-cn"
	DNS     string // suffix of service endpoints, as "amazonaws.com.cn"
	Console string // host of the console without the region, as "console.aws.amazon.com"
}

// PartitionOf is the partition a region belongs to. An unknown region is taken to be commercial.
func PartitionOf(region string) Partition {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return Partition{"aws-cn", "amazonaws.com.cn", "console.amazonaws.cn"}
	case strings.HasPrefix(region, "eusc-"):
		return Partition{"aws-eusc", "amazonaws.eu", "console.amazonaws-eusc.eu"}
	case strings.HasPrefix(region, "us-gov-"):
		return Partition{"aws-us-gov", "amazonaws.com", "console.amazonaws-us-gov.com"}
	case strings.HasPrefix(region, "us-iso-"):
		return Partition{"aws-iso", "c2s.ic.gov", "console.c2shome.ic.gov"}
	case strings.HasPrefix(region, "us-isob-"):
		return Partition{"aws-iso-b", "sc2s.sgov.gov", "console.sc2shome.sgov.gov"}
	case strings.HasPrefix(region, "us-isof-"):
		return Partition{"aws-iso-f", "csp.hci.ic.gov", "console.csphome.hci.ic.gov"}
	case strings.HasPrefix(region, "eu-isoe-"):
		return Partition{"aws-iso-e", "cloud.adc-e.uk", "console.csphome.adc-e.uk"}
	}
	return Partition{"aws", "amazonaws.com", "console.aws.amazon.com"}
}
