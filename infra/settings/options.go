package settings

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/cluster"
)

// Option is one key of the CDK's context. docs/deploy.md has a row for each.
type Option struct {
	Key     string
	Allowed string // for people
	Default string // empty: none; see Required
	// Required says that there must be a value. Account and region are required too, but usually known from the credentials.
	Required bool

	set func(*answers, string) (wrong []string) // takes a value over, and gives the parts that are not allowed
}

// answers are what the options were set to, each by itself.
type answers struct {
	config          stack.Config
	policy, zip     string // files
	account, region string
}

// Options are all keys, in the order of the documentation.
func Options() []Option {
	return []Option{
		{Key: "policy", Allowed: "the file with the policy, as policy.yaml", Required: true,
			set: name(func(a *answers) *string { return &a.policy })},
		{Key: "email", Allowed: "one e-mail address, as oncall@example.com", Required: true,
			set: text(func(a *answers) *string { return &a.config.Email }, isEmail)},
		{Key: "organization", Allowed: "the ID of an organisation, as o-exampleorgid",
			set: text(func(a *answers) *string { return &a.config.Organization }, matches(`o-[a-z0-9]{10,32}`))},
		{Key: "organizationalUnits", Allowed: "IDs of organisational units or roots, as ou-exam-12345678,r-exam",
			set: list(func(a *answers) *[]string { return &a.config.Units }, matches(`ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}`))},
		{Key: "managementAccount", Allowed: "true or false", Default: "false",
			set: flag(func(a *answers) *bool { return &a.config.Management })},
		{Key: "updates", Allowed: "true or false", Default: "false",
			set: flag(func(a *answers) *bool { return &a.config.Updates })},
		{Key: "passRoles", Allowed: "ARNs of IAM roles, in which * and ? stand for others, as arn:aws:iam::*:role/eks-addons/*; the role's name needs a letter or a digit",
			set: list(func(a *answers) *[]string { return &a.config.PassRoles }, isRolePattern)},
		{Key: "accessEntries", Allowed: "ARNs of EKS clusters, as arn:aws:eks:eu-central-1:111122223333:cluster/prod", set: clusters},
		{Key: "functionSubnets", Allowed: "IDs of up to 16 subnets of one VPC in the hub's region, as subnet-0123456789abcdef0",
			set: list(func(a *answers) *[]string { return &a.config.Network.Subnets }, matches(`subnet-([0-9a-f]{8}|[0-9a-f]{17})`))},
		{Key: "functionSecurityGroups", Allowed: "IDs of up to 5 security groups of that VPC, as sg-0123456789abcdef0",
			set: list(func(a *answers) *[]string { return &a.config.Network.SecurityGroups }, matches(`sg-([0-9a-f]{8}|[0-9a-f]{17})`))},
		{Key: "externalId", Allowed: "2 to 1224 letters, digits and _ + = , . @ : / -",
			set: text(func(a *answers) *string { return &a.config.ExternalID }, isExternalID)},
		{Key: "urgentConcurrency", Allowed: "a whole number from 1, as 5",
			set: number(func(a *answers) *int { return &a.config.Urgent.Concurrency })},
		{Key: "bulkConcurrency", Allowed: "a whole number from 1, as 5",
			set: number(func(a *answers) *int { return &a.config.Bulk.Concurrency })},
		{Key: "logDays", Allowed: strings.Join(logDays(), ", "), Default: "90",
			set: logsKept},
		{Key: "logLevel", Allowed: "debug, info, warn or error", Default: "info",
			set: text(func(a *answers) *string { return &a.config.LogLevel }, matches(`debug|info|warn|error`))},
		{Key: "zip", Allowed: "the file with the Lambda's program for arm64, of make build or of a release", Default: "dist/remediator-arm64.zip",
			set: name(func(a *answers) *string { return &a.zip })},
		{Key: "account", Allowed: `twelve digits, as "111122223333"`,
			set: text(func(a *answers) *string { return &a.account }, cluster.IsAccount)},
		{Key: "region", Allowed: "a region, as eu-central-1",
			set: text(func(a *answers) *string { return &a.region }, cluster.IsRegion)},
	}
}

// logDays are the times that CloudWatch Logs keeps logs (CloudWatch Logs API reference, PutRetentionPolicy).
func logDays() []string {
	return strings.Fields("1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653")
}

func logsKept(a *answers, value string) []string {
	if !slices.Contains(logDays(), value) {
		return []string{value}
	}
	return number(func(a *answers) *int { return &a.config.LogDays })(a, value)
}

func name(of func(*answers) *string) func(*answers, string) []string {
	return text(of, func(string) bool { return true })
}

func text(of func(*answers) *string, allowed func(string) bool) func(*answers, string) []string {
	return func(a *answers, value string) []string {
		if !allowed(value) {
			return []string{value}
		}
		*of(a) = value
		return nil
	}
}

// list reads entries between commas, each of which must be allowed.
func list(of func(*answers) *[]string, allowed func(string) bool) func(*answers, string) []string {
	return func(a *answers, value string) (wrong []string) {
		for _, entry := range entries(value) {
			if !allowed(entry) {
				wrong = append(wrong, entry)
			}
			*of(a) = append(*of(a), entry)
		}
		return wrong
	}
}

func entries(value string) []string {
	all := strings.Split(value, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// clusters reads the ARNs of clusters, and not of what is in one.
func clusters(a *answers, value string) (wrong []string) {
	for _, arn := range entries(value) {
		id, err := cluster.ParseARN(arn)
		if err != nil || id.ARN() != arn {
			wrong = append(wrong, arn)
		}
		a.config.AccessEntries = append(a.config.AccessEntries, id)
	}
	return wrong
}

func flag(of func(*answers) *bool) func(*answers, string) []string {
	return func(a *answers, value string) []string {
		if value != "true" && value != "false" {
			return []string{value}
		}
		*of(a) = value == "true"
		return nil
	}
}

func number(of func(*answers) *int) func(*answers, string) []string {
	return func(a *answers, value string) []string {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || strconv.Itoa(n) != value {
			return []string{value}
		}
		*of(a) = n
		return nil
	}
}

func matches(pattern string) func(string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString
}

func isExternalID(s string) bool { return len(s) <= 1224 && matches(`[\w+=,.@:/-]{2,}`)(s) }

// isEmail asks for a bare address: SNS sends to it, and a confirmation that gets lost is a page that gets lost.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s[strings.LastIndexByte(s, '@'):], ".")
}

// isRolePattern asks for a role's ARN whose name is more than wildcards: else the updater could hand any role of the account to
// EKS.
func isRolePattern(s string) bool {
	_, name, _ := strings.Cut(s, ":role/")
	says := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return matches(`arn:[a-z-]+:iam::([0-9]{12}|\*):role/[\w+=,.@/*?-]+`)(s) && strings.ContainsFunc(name, says)
}
