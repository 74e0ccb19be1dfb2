"""Documents in SharePoint as Microsoft Graph offers them: sites, libraries, files, the recycle bin, and who
may reach which."""
