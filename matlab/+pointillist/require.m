function require(name, folders)
%REQUIRE Put folders on the path and see that a function can be called.
%   pointillist.require(NAME, FOLDERS) puts the folders of the cell row FOLDERS
%   in front of the path, the first one first, and throws an error that names
%   what was looked for, and where, if there is no function NAME then.
    if ~isempty(folders)
        addpath(folders{:});
    end
    parts = {name};
    if ~any(name == '.')
        found = any(exist(name) == [2 3 5 6 8 103]); %#ok<EXIST>
    else
        parts = strsplit(name, '.');
        file = [sprintf('+%s/', parts{1:end - 1}) parts{end} '.m'];
        found = exist(file, 'file') ~= 0 || exist(parts{1}) ~= 0; %#ok<EXIST>
    end
    if ~found
        searched = ' only the functions of the program itself';
        if ~isempty(folders)
            searched = sprintf('\n  %s', folders{:});
        end
        error('pointillist:missing', ['there is no function %s. Put a file %s.m ' ...
            'into one of these folders, or correct the name in the step. ' ...
            'Searched:%s'], name, parts{end}, searched);
    end
end
