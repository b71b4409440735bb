#include "devices/e1000/registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "devices/e1000/statistics.hpp"
#include "devices/register_access.hpp"

namespace kvmbench::e1000 {

namespace {

struct Named {
  std::uint32_t offset;
  std::string_view name;
};

constexpr auto single = std::to_array<Named>({
    {reg::ctrl, "CTRL"},         {reg::status, "STATUS"}, {reg::eecd, "EECD"},     {reg::eerd, "EERD"},
    {reg::ctrl_ext, "CTRL_EXT"}, {reg::mdic, "MDIC"},     {reg::fcal, "FCAL"},     {reg::fcah, "FCAH"},
    {reg::fct, "FCT"},           {reg::vet, "VET"},       {reg::icr, "ICR"},       {reg::itr, "ITR"},
    {reg::ics, "ICS"},           {reg::ims, "IMS"},       {reg::imc, "IMC"},       {reg::rctl, "RCTL"},
    {reg::fcttv, "FCTTV"},       {reg::txcw, "TXCW"},     {reg::rxcw, "RXCW"},     {reg::tctl, "TCTL"},
    {reg::tipg, "TIPG"},         {reg::ait, "AIT"},       {reg::ledctl, "LEDCTL"}, {reg::pba, "PBA"},
    {reg::fcrtl, "FCRTL"},       {reg::fcrth, "FCRTH"},   {reg::rdfh, "RDFH"},     {reg::rdft, "RDFT"},
    {reg::rdfhs, "RDFHS"},       {reg::rdfts, "RDFTS"},   {reg::rdfpc, "RDFPC"},   {reg::rdbal, "RDBAL"},
    {reg::rdbah, "RDBAH"},       {reg::rdlen, "RDLEN"},   {reg::rdh, "RDH"},       {reg::rdt, "RDT"},
    {reg::rdtr, "RDTR"},         {reg::rxdctl, "RXDCTL"}, {reg::radv, "RADV"},     {reg::rsrpd, "RSRPD"},
    {reg::txdmac, "TXDMAC"},     {reg::tdfh, "TDFH"},     {reg::tdft, "TDFT"},     {reg::tdfhs, "TDFHS"},
    {reg::tdfts, "TDFTS"},       {reg::tdfpc, "TDFPC"},   {reg::tdbal, "TDBAL"},   {reg::tdbah, "TDBAH"},
    {reg::tdlen, "TDLEN"},       {reg::tdh, "TDH"},       {reg::tdt, "TDT"},       {reg::tidv, "TIDV"},
    {reg::txdctl, "TXDCTL"},     {reg::tadv, "TADV"},     {reg::tspmt, "TSPMT"},   {reg::rxcsum, "RXCSUM"},
    {reg::wuc, "WUC"},           {reg::wufc, "WUFC"},     {reg::wus, "WUS"},       {reg::manc, "MANC"},
    {reg::ipav, "IPAV"},         {reg::wupl, "WUPL"},
});

struct NamedArray {
  std::uint32_t first;
  std::uint32_t end;
  std::string_view name;
};
constexpr auto arrays = std::to_array<NamedArray>({
    {reg::mta, reg::mta_end, "MTA"},
    {reg::vfta, reg::vfta_end, "VFTA"},
    {reg::ip4at, reg::ip4at_end, "IP4AT"},
    {reg::ip6at, reg::ip6at_end, "IP6AT"},
    {reg::wupm, reg::wupm_end, "WUPM"},
    {reg::fflt, reg::fflt_end, "FFLT"},
    {reg::ffmt, reg::ffmt_end, "FFMT"},
    {reg::ffvt, reg::ffvt_end, "FFVT"},
});

}  // namespace

std::string register_name(std::uint64_t offset) {
  const std::uint64_t dword = offset & ~std::uint64_t{3};
  const auto named =
      std::find_if(single.begin(), single.end(), [dword](const Named& each) { return each.offset == dword; });
  if (named != single.end()) return std::string(named->name);
  if (dword >= reg::statistics && dword < reg::statistics_end) {
    const std::string_view name = Statistics::name((dword - reg::statistics) / 4);
    if (!name.empty()) return std::string(name);
  }
  if (dword >= reg::ral0 && dword < reg::ra_end) {
    return fmt::format("RA{}{}", dword % 8 == 0 ? 'L' : 'H', (dword - reg::ral0) / 8);
  }
  for (const NamedArray& each : arrays) {
    if (dword >= each.first && dword < each.end) {
      return fmt::format("{}[{}]", each.name, (dword - each.first) / 4);
    }
  }
  return unnamed_register(offset);
}

}  // namespace kvmbench::e1000
