/* Names of interfaces and operations of DCE/RPC. */
#include "dissectors/shared/dcerpc_names.h"

#include <stddef.h>
#include <string.h>

static const char *const epmapper[] = {"ept_insert", "ept_delete", "ept_lookup", "ept_map",
	"ept_lookup_handle_free", "ept_inq_object", "ept_mgmt_delete", NULL};
static const char *const management[] = {
	"inq_if_ids", "inq_stats", "is_server_listening", "stop_server_listening", "inq_princ_name", NULL};
static const char *const oxid_resolver[] = {
	"ResolveOxid", "SimplePing", "ComplexPing", "ServerAlive", "ResolveOxid2", "ServerAlive2", NULL};
static const char *const activation[] = {"RemoteActivation", NULL};
static const char *const system_activator[] = {
	"", "", "", "RemoteGetClassObject", "RemoteCreateInstance", NULL};
static const char *const rem_unknown[] = {"QueryInterface", "AddRef", "Release", "RemQueryInterface",
	"RemAddRef", "RemRelease", "RemQueryInterface2", NULL};
static const char *const wbem_login[] = {"QueryInterface", "AddRef", "Release", "EstablishPosition",
	"RequestChallenge", "WBEMLogin", "NTLMLogin", NULL};
static const char *const wbem_services[] = {"QueryInterface", "AddRef", "Release", "OpenNamespace",
	"CancelAsyncCall", "QueryObjectSink", "GetObject", "GetObjectAsync", "PutClass", "PutClassAsync",
	"DeleteClass", "DeleteClassAsync", "CreateClassEnum", "CreateClassEnumAsync", "PutInstance",
	"PutInstanceAsync", "DeleteInstance", "DeleteInstanceAsync", "CreateInstanceEnum",
	"CreateInstanceEnumAsync", "ExecQuery", "ExecQueryAsync", "ExecNotificationQuery",
	"ExecNotificationQueryAsync", "ExecMethod", "ExecMethodAsync", NULL};
static const char *const server_service[] = {"NetrCharDevEnum", "NetrCharDevGetInfo", "NetrCharDevControl",
	"NetrCharDevQEnum", "NetrCharDevQGetInfo", "NetrCharDevQSetInfo", "NetrCharDevQPurge",
	"NetrCharDevQPurgeSelf", "NetrConnectionEnum", "NetrFileEnum", "NetrFileGetInfo", "NetrFileClose",
	"NetrSessionEnum", "NetrSessionDel", "NetrShareAdd", "NetrShareEnum", "NetrShareGetInfo",
	"NetrShareSetInfo", "NetrShareDel", "NetrShareDelSticky", "NetrShareCheck", "NetrServerGetInfo",
	"NetrServerSetInfo", "NetrServerDiskEnum", "NetrServerStatisticsGet", "NetrServerTransportAdd",
	"NetrServerTransportEnum", "NetrServerTransportDel", "NetrRemoteTOD", "NetrServerSetServiceBits",
	"NetprPathType", "NetprPathCanonicalize", "NetprPathCompare", "NetprNameValidate",
	"NetprNameCanonicalize", "NetprNameCompare", "NetrShareEnumSticky", "NetrShareDelStart",
	"NetrShareDelCommit", "NetrpGetFileSecurity", "NetrpSetFileSecurity", "NetrServerTransportAddEx",
	"NetrServerSetServiceBitsEx", "NetrDfsGetVersion", NULL};
static const char *const workstation_service[] = {"NetrWkstaGetInfo", "NetrWkstaSetInfo", "NetrWkstaUserEnum",
	"NetrWkstaUserGetInfo", "NetrWkstaUserSetInfo", "NetrWkstaTransportEnum", "NetrWkstaTransportAdd",
	"NetrWkstaTransportDel", "NetrUseAdd", "NetrUseGetInfo", "NetrUseDel", "NetrUseEnum",
	"NetrMessageBufferSend", "NetrWorkstationStatisticsGet", "NetrLogonDomainNameAdd",
	"NetrLogonDomainNameDel", "NetrJoinDomain", "NetrUnjoinDomain", "NetrRenameMachineInDomain",
	"NetrValidateName", "NetrGetJoinInformation", "NetrGetJoinableOUs", "NetrJoinDomain2",
	"NetrUnjoinDomain2", "NetrRenameMachineInDomain2", "NetrValidateName2", "NetrGetJoinableOUs2",
	"NetrAddAlternateComputerName", "NetrRemoveAlternateComputerName", "NetrSetPrimaryComputerName",
	"NetrEnumerateComputerNames", NULL};
static const char *const security_accounts[] = {"SamrConnect", "SamrCloseHandle", "SamrSetSecurityObject",
	"SamrQuerySecurityObject", "SamrShutdownSamServer", "SamrLookupDomainInSamServer",
	"SamrEnumerateDomainsInSamServer", "SamrOpenDomain", "SamrQueryInformationDomain",
	"SamrSetInformationDomain", "SamrCreateGroupInDomain", "SamrEnumerateGroupsInDomain",
	"SamrCreateUserInDomain", "SamrEnumerateUsersInDomain", "SamrCreateAliasInDomain",
	"SamrEnumerateAliasesInDomain", "SamrGetAliasMembership", "SamrLookupNamesInDomain",
	"SamrLookupIdsInDomain", "SamrOpenGroup", "SamrQueryInformationGroup", "SamrSetInformationGroup",
	"SamrAddMemberToGroup", "SamrDeleteGroup", "SamrRemoveMemberFromGroup", "SamrGetMembersInGroup",
	"SamrSetMemberAttributesOfGroup", "SamrOpenAlias", "SamrQueryInformationAlias",
	"SamrSetInformationAlias", "SamrDeleteAlias", "SamrAddMemberToAlias", "SamrRemoveMemberFromAlias",
	"SamrGetMembersInAlias", "SamrOpenUser", "SamrDeleteUser", "SamrQueryInformationUser",
	"SamrSetInformationUser", "SamrChangePasswordUser", "SamrGetGroupsForUser",
	"SamrQueryDisplayInformation", "SamrGetDisplayEnumerationIndex", "", "",
	"SamrGetUserDomainPasswordInformation", "SamrRemoveMemberFromForeignDomain",
	"SamrQueryInformationDomain2", "SamrQueryInformationUser2", "SamrQueryDisplayInformation2",
	"SamrGetDisplayEnumerationIndex2", "SamrCreateUser2InDomain", "SamrQueryDisplayInformation3",
	"SamrAddMultipleMembersToAlias", "SamrRemoveMultipleMembersFromAlias", "SamrOemChangePasswordUser2",
	"SamrUnicodeChangePasswordUser2", "SamrGetDomainPasswordInformation", "SamrConnect2",
	"SamrSetInformationUser2", "", "", "", "SamrConnect4", "", "SamrConnect5", "SamrRidToSid",
	"SamrSetDSRMPassword", "SamrValidatePassword", NULL};
static const char *const local_authority[] = {"LsarClose", "LsarDelete", "LsarEnumeratePrivileges",
	"LsarQuerySecurityObject", "LsarSetSecurityObject", "LsarChangePassword", "LsarOpenPolicy",
	"LsarQueryInformationPolicy", "LsarSetInformationPolicy", "LsarClearAuditLog", "LsarCreateAccount",
	"LsarEnumerateAccounts", "LsarCreateTrustedDomain", "LsarEnumerateTrustedDomains", "LsarLookupNames",
	"LsarLookupSids", "LsarCreateSecret", "LsarOpenAccount", "LsarEnumeratePrivilegesAccount",
	"LsarAddPrivilegesToAccount", "LsarRemovePrivilegesFromAccount", "LsarGetQuotasForAccount",
	"LsarSetQuotasForAccount", "LsarGetSystemAccessAccount", "LsarSetSystemAccessAccount",
	"LsarOpenTrustedDomain", "LsarQueryInfoTrustedDomain", "LsarSetInformationTrustedDomain",
	"LsarOpenSecret", "LsarSetSecret", "LsarQuerySecret", "LsarLookupPrivilegeValue",
	"LsarLookupPrivilegeName", "LsarLookupPrivilegeDisplayName", "LsarDeleteObject",
	"LsarEnumerateAccountsWithUserRight", "LsarEnumerateAccountRights", "LsarAddAccountRights",
	"LsarRemoveAccountRights", "LsarQueryTrustedDomainInfo", "LsarSetTrustedDomainInfo",
	"LsarDeleteTrustedDomain", "LsarStorePrivateData", "LsarRetrievePrivateData", "LsarOpenPolicy2",
	"LsarGetUserName", "LsarQueryInformationPolicy2", "LsarSetInformationPolicy2",
	"LsarQueryTrustedDomainInfoByName", "LsarSetTrustedDomainInfoByName", "LsarEnumerateTrustedDomainsEx",
	"LsarCreateTrustedDomainEx", "", "LsarQueryDomainInformationPolicy", "LsarSetDomainInformationPolicy",
	"LsarOpenTrustedDomainByName", "", "LsarLookupSids2", "LsarLookupNames2",
	"LsarCreateTrustedDomainEx2", "", "", "", "", "", "", "", "", "LsarLookupNames3", "", "", "", "",
	"LsarQueryForestTrustInformation", "LsarSetForestTrustInformation", "", "LsarLookupSids3",
	"LsarLookupNames4", NULL};
static const char *const netlogon[] = {"NetrLogonUasLogon", "NetrLogonUasLogoff", "NetrLogonSamLogon",
	"NetrLogonSamLogoff", "NetrServerReqChallenge", "NetrServerAuthenticate", "NetrServerPasswordSet",
	"NetrDatabaseDeltas", "NetrDatabaseSync", "NetrAccountDeltas", "NetrAccountSync", "NetrGetDCName",
	"NetrLogonControl", "NetrGetAnyDCName", "NetrLogonControl2", "NetrServerAuthenticate2",
	"NetrDatabaseSync2", "NetrDatabaseRedo", "NetrLogonControl2Ex", "NetrEnumerateTrustedDomains",
	"DsrGetDcName", "NetrLogonGetCapabilities", "NetrLogonSetServiceBits", "NetrLogonGetTrustRid",
	"NetrLogonComputeServerDigest", "NetrLogonComputeClientDigest", "NetrServerAuthenticate3",
	"DsrGetDcNameEx", "DsrGetSiteName", "NetrLogonGetDomainInfo", "NetrServerPasswordSet2",
	"NetrServerPasswordGet", "NetrLogonSendToSam", "DsrAddressToSiteNamesW", "DsrGetDcNameEx2",
	"NetrLogonGetTimeServiceParentDomain", "NetrEnumerateTrustedDomainsEx", "DsrAddressToSiteNamesExW",
	"DsrGetDcSiteCoverageW", "NetrLogonSamLogonEx", "DsrEnumerateDomainTrusts",
	"DsrDeregisterDnsHostRecords", "NetrServerTrustPasswordsGet", "DsrGetForestTrustInformation",
	"NetrGetForestTrustInformation", "NetrLogonSamLogonWithFlags", "NetrServerGetTrustInfo", NULL};
static const char *const service_control[] = {"CloseServiceHandle", "ControlService", "DeleteService",
	"LockServiceDatabase", "QueryServiceObjectSecurity", "SetServiceObjectSecurity", "QueryServiceStatus",
	"SetServiceStatus", "UnlockServiceDatabase", "NotifyBootConfigStatus", "", "ChangeServiceConfigW",
	"CreateServiceW", "EnumDependentServicesW", "EnumServicesStatusW", "OpenSCManagerW", "OpenServiceW",
	"QueryServiceConfigW", "QueryServiceLockStatusW", "StartServiceW", "GetServiceDisplayNameW",
	"GetServiceKeyNameW", "", "ChangeServiceConfigA", "CreateServiceA", "EnumDependentServicesA",
	"EnumServicesStatusA", "OpenSCManagerA", "OpenServiceA", "QueryServiceConfigA",
	"QueryServiceLockStatusA", "StartServiceA", "GetServiceDisplayNameA", "GetServiceKeyNameA", "",
	"EnumServiceGroupW", "ChangeServiceConfig2A", "ChangeServiceConfig2W", "QueryServiceConfig2A",
	"QueryServiceConfig2W", "QueryServiceStatusEx", "EnumServicesStatusExA", "EnumServicesStatusExW",
	NULL};
static const char *const registry[] = {"OpenClassesRoot", "OpenCurrentUser", "OpenLocalMachine",
	"OpenPerformanceData", "OpenUsers", "BaseRegCloseKey", "BaseRegCreateKey", "BaseRegDeleteKey",
	"BaseRegDeleteValue", "BaseRegEnumKey", "BaseRegEnumValue", "BaseRegFlushKey",
	"BaseRegGetKeySecurity", "BaseRegLoadKey", "", "BaseRegOpenKey", "BaseRegQueryInfoKey",
	"BaseRegQueryValue", "BaseRegReplaceKey", "BaseRegRestoreKey", "BaseRegSaveKey",
	"BaseRegSetKeySecurity", "BaseRegSetValue", "BaseRegUnLoadKey", "", "", "BaseRegGetVersion",
	"OpenCurrentConfig", "", "BaseRegQueryMultipleValues", "", "BaseRegSaveKeyEx", "OpenPerformanceText",
	"OpenPerformanceNlsText", "BaseRegQueryMultipleValues2", "", "BaseRegDeleteKeyEx", NULL};
static const char *const scheduler[] = {"NetrJobAdd", "NetrJobDel", "NetrJobEnum", "NetrJobGetInfo", NULL};
static const char *const task_scheduler[] = {"SchRpcHighestVersion", "SchRpcRegisterTask",
	"SchRpcRetrieveTask", "SchRpcCreateFolder", "SchRpcSetSecurity", "SchRpcGetSecurity",
	"SchRpcEnumFolders", "SchRpcEnumTasks", "SchRpcEnumInstances", "SchRpcGetInstanceInfo",
	"SchRpcStopInstance", "SchRpcStop", "SchRpcRun", "SchRpcDelete", "SchRpcRename",
	"SchRpcScheduledRuntimes", "SchRpcGetLastRunInfo", "SchRpcGetTaskInfo", NULL};
static const char *const replication[] = {"DRSBind", "DRSUnbind", "DRSReplicaSync", "DRSGetNCChanges",
	"DRSUpdateRefs", "DRSReplicaAdd", "DRSReplicaDel", "DRSReplicaModify", "DRSVerifyNames",
	"DRSGetMemberships", "DRSInterDomainMove", "DRSGetNT4ChangeLog", "DRSCrackNames", "DRSWriteSPN",
	"DRSRemoveDsServer", "DRSRemoveDsDomain", "DRSDomainControllerInfo", "DRSAddEntry", "DRSExecuteKCC",
	"DRSGetReplInfo", "DRSAddSidHistory", "DRSGetMemberships2", NULL};
static const char *const printing[] = {"RpcEnumPrinters", "RpcOpenPrinter", "RpcSetJob", "RpcGetJob",
	"RpcEnumJobs", "RpcAddPrinter", "RpcDeletePrinter", "RpcSetPrinter", "RpcGetPrinter",
	"RpcAddPrinterDriver", "RpcEnumPrinterDrivers", "RpcGetPrinterDriver", "RpcGetPrinterDriverDirectory",
	"RpcDeletePrinterDriver", "RpcAddPrintProcessor", "RpcEnumPrintProcessors",
	"RpcGetPrintProcessorDirectory", "RpcStartDocPrinter", "RpcStartPagePrinter", "RpcWritePrinter",
	"RpcEndPagePrinter", "RpcAbortPrinter", "RpcReadPrinter", "RpcEndDocPrinter", "RpcAddJob",
	"RpcScheduleJob", "RpcGetPrinterData", "RpcSetPrinterData", "RpcWaitForPrinterChange",
	"RpcClosePrinter", NULL};
static const char *const dfs[] = {"NetrDfsManagerGetVersion", "NetrDfsAdd", "NetrDfsRemove", "NetrDfsSetInfo",
	"NetrDfsGetInfo", "NetrDfsEnum", NULL};
static const char *const encrypting_files[] = {"EfsRpcOpenFileRaw", "EfsRpcReadFileRaw", "EfsRpcWriteFileRaw",
	"EfsRpcCloseRaw", "EfsRpcEncryptFileSrv", "EfsRpcDecryptFileSrv", "EfsRpcQueryUsersOnFile",
	"EfsRpcQueryRecoveryAgents", NULL};
static const char *const init_shutdown[] = {
	"BaseInitiateShutdown", "BaseAbortShutdown", "BaseInitiateShutdownEx", NULL};
static const char *const directory_setup[] = {"DsRolerGetPrimaryDomainInformation", NULL};
static const char *const name_service[] = {"NspiBind", "NspiUnbind", "NspiUpdateStat", "NspiQueryRows",
	"NspiSeekEntries", "NspiGetMatches", "NspiResortRestriction", "NspiDNToMId", "NspiGetPropList",
	"NspiGetProps", "NspiCompareMIds", "NspiModProps", "NspiGetSpecialTable", "NspiGetTemplateInfo",
	"NspiModLinkAtt", "", "NspiQueryColumns", "", "", "NspiResolveNames", "NspiResolveNamesW", NULL};
static const char *const exchange[] = {"EcDoConnect", "EcDoDisconnect", "EcDoRpc", "EcGetMoreRpc",
	"EcRRegisterPushNotification", "EcRUnregisterPushNotification", "EcDummyRpc", "EcRGetDCName",
	"EcRNetGetDCName", "EcDoRpcExt", "EcDoConnectEx", "EcDoRpcExt2", "EcUnknown0xC", "EcUnknown0xD",
	"EcDoAsyncConnectEx", NULL};
static const char *const profinet[] = {
	"Connect", "Release", "Read", "Write", "Control", "ReadImplicit", NULL};

static const struct fyke_dcerpc_interface interfaces[] = {
	{"e1af8308-5d1f-11c9-91a4-08002b14a0fa", "epmapper", epmapper},
	{"afa8bd80-7d8a-11c9-bef4-08002b102989", "mgmt", management},
	{"99fcfec4-5260-101b-bbcb-00aa0021347a", "IOXIDResolver", oxid_resolver},
	{"4d9f4ab8-7d1c-11cf-861e-0020af6e7c57", "IActivation", activation},
	{"000001a0-0000-0000-c000-000000000046", "ISystemActivator", system_activator},
	{"00000131-0000-0000-c000-000000000046", "IRemUnknown", rem_unknown},
	{"00000143-0000-0000-c000-000000000046", "IRemUnknown2", rem_unknown},
	{"f309ad18-d86a-11d0-a075-00c04fb68820", "IWbemLevel1Login", wbem_login},
	{"9556dc99-828c-11cf-a37e-00aa003240c7", "IWbemServices", wbem_services},
	{"027947e1-d731-11ce-a357-000000000001", "IEnumWbemClassObject", NULL},
	{"d4781cd6-e5d3-44df-ad94-930efe48a887", "IWbemLoginClientID", NULL},
	{"4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc", server_service},
	{"6bffd098-a112-3610-9833-46c3f87e345a", "wkssvc", workstation_service},
	{"12345778-1234-abcd-ef00-0123456789ac", "samr", security_accounts},
	{"12345778-1234-abcd-ef00-0123456789ab", "lsarpc", local_authority},
	{"12345678-1234-abcd-ef00-01234567cffb", "netlogon", netlogon},
	{"367abb81-9844-35f1-ad32-98f038001003", "svcctl", service_control},
	{"338cd001-2244-31f1-aaaa-900038001003", "winreg", registry},
	{"1ff70682-0a51-30e8-076d-740be8cee98b", "atsvc", scheduler},
	{"86d35949-83c9-4044-b424-db363231fd0c", "ITaskSchedulerService", task_scheduler},
	{"e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi", replication},
	{"12345678-1234-abcd-ef00-0123456789ab", "spoolss", printing},
	{"4fc742e0-4a10-11cf-8273-00aa004ae673", "netdfs", dfs},
	{"df1941c5-fe89-4e79-bf10-463657acf44d", "efsrpc", encrypting_files},
	{"c681d488-d850-11d0-8c52-00c04fd90f7e", "efsrpc", encrypting_files},
	{"894de0c0-0d55-11d3-a322-00c04fa321a1", "InitShutdown", init_shutdown},
	{"76f03f96-cdfd-44fc-a22c-64950a001209", "IRemoteWinspool", NULL},
	{"82273fdc-e32a-18c3-3f78-827929dc23ea", "eventlog", NULL},
	{"f6beaff7-1e19-4fbb-9f8f-b89e2018337c", "eventlog6", NULL},
	{"50abc2a4-574d-40b3-9d66-ee4fd5fba076", "dnsserver", NULL},
	{"3919286a-b10c-11d0-9ba8-00c04fd92ef5", "dssetup", directory_setup},
	{"8d9f4e40-a03d-11ce-8f69-08003e30051b", "PNP", NULL},
	{"5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc", "msgsvc", NULL},
	{"17fdd703-1827-4e34-79d4-24a55c53bb37", "msgsvc", NULL},
	{"6bffd098-a112-3610-9833-012892020162", "browser", NULL},
	{"45f52c28-7f9f-101a-b52b-08002b2efabe", "winspipe", NULL},
	{"f5cc5a18-4264-101a-8c59-08002b2f8426", "nspi", name_service},
	{"a4f1db00-ca47-1067-b31f-00dd010662da", "exchange_mapi", exchange},
	{"1544f5e0-613c-11d1-93df-00c04fd7bd09", "rfr", NULL},
	{"3dde7c30-165d-11d1-ab8f-00805f14db40", "BackupKey", NULL},
	{"300f3532-38cc-11d0-a3f0-0020af6b0add", "trkwks", NULL},
	{"2f5f6520-ca46-1067-b319-00dd010662da", "tapsrv", NULL},
	{"91ae6020-9e3c-11cf-8d7c-00aa00c091be", "ICertPassage", NULL},
	{"ae33069b-a2a8-46ee-a235-ddfd339be281", "IRPCRemoteObject", NULL},
	{"dea00001-6c97-11d1-8271-00a02442df7d", "PNIO-Device", profinet},
	{"dea00002-6c97-11d1-8271-00a02442df7d", "PNIO-Controller", profinet},
};

const struct fyke_dcerpc_interface *fyke_dcerpc_interface(const char *uuid)
{
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
		if (strcmp(interfaces[i].uuid, uuid) == 0)
			return &interfaces[i];
	}
	return NULL;
}

const char *fyke_dcerpc_operation(const struct fyke_dcerpc_interface *interface, uint16_t opnum)
{
	if (interface == NULL || interface->operations == NULL)
		return NULL;
	for (uint16_t i = 0; interface->operations[i] != NULL; i++) {
		if (i == opnum)
			return interface->operations[i][0] != '\0' ? interface->operations[i] : NULL;
	}
	return NULL;
}
